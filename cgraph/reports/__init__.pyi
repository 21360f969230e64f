from cgraph.reports.budget_chart import budget_chart
from cgraph.reports.charts import flow_chart, loss_chart, path_chart, tornado_chart
from cgraph.reports.drawing import DRAWING_FORMATS, Drawing, draw
from cgraph.reports.notebooks import SensitivityReport, sensitivity_report
from cgraph.reports.pages import StepMistakes, page

__all__ = [
    "DRAWING_FORMATS",
    "Drawing",
    "SensitivityReport",
    "StepMistakes",
    "budget_chart",
    "draw",
    "flow_chart",
    "loss_chart",
    "page",
    "path_chart",
    "sensitivity_report",
    "tornado_chart",
]
