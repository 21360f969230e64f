"""Graphs of PyTorch programs: every gradient by the parameter's name against .backward(), edges against hooks."""

import numpy as np
import pytest

import cgraph as cg

torch = pytest.importorskip("torch", reason="the extra torch")
nn = torch.nn
F = nn.functional


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)
    torch.set_num_threads(1)


class Block(nn.Module):
    """A transformer block: attention of two heads, layer norm, gelu."""

    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.norm1, self.norm2 = nn.LayerNorm(8), nn.LayerNorm(8)
        self.feedforward = nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 8))

    def forward(self, x):
        h = self.norm1(x)
        x = x + self.attention(h, h, h, need_weights=False)[0]
        return x + self.feedforward(self.norm2(x))


class Convolutional(nn.Module):
    def __init__(self):
        super().__init__()
        self.convolution, self.norm, self.linear = nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Linear(8, 3)

    def forward(self, image):
        pooled = F.max_pool2d(torch.relu(self.norm(self.convolution(image))), 2)
        return self.linear(pooled.flatten(1))


class Recurrent(nn.Module):
    """A GRU cell, its steps written out."""

    def __init__(self):
        super().__init__()
        self.cell = nn.GRUCell(3, 4)

    def forward(self, x):
        h = torch.zeros(2, 4, dtype=x.dtype)
        for k in range(3):
            h = self.cell(x[k], h)
        return h


class Loss(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return (self.network(x) ** 2).mean()


NETWORKS = {
    "transformer block": (Block, (2, 5, 8)),
    "convolutional network": (Convolutional, (3, 1, 6, 6)),
    "gru cell": (Recurrent, (3, 2, 3)),
    "gru": (lambda: nn.Sequential(nn.GRU(3, 4), Take()), (5, 3)),
}


class Take(nn.Module):
    def forward(self, outputs):
        return outputs[0]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_by_name_are_those_of_backward(name, training):
    network, shape = NETWORKS[name]
    loss = Loss(network()).double().train(training)
    x = torch.randn(shape, dtype=torch.float64)
    before = {key: value.clone() for key, value in loss.state_dict().items()}
    L = cg.from_torch(loss, x)
    assert all(torch.equal(value, before[key]) for key, value in loss.state_dict().items())
    (t,) = L.outputs
    gradients = cg.weight_gradients(L, t)
    x.requires_grad_()
    value = loss(x)
    value.backward()
    assert L.nodes[t]["value"] == pytest.approx(value.item(), rel=1e-12)
    assert set(gradients) == {key for key, _ in loss.named_parameters()} == set(L.weights)
    for key, parameter in loss.named_parameters():
        assert gradients[key] == pytest.approx(parameter.grad.numpy(), abs=1e-9)
    assert L.inputs == ["x"]
    assert cg.sensitivity(L, "x", t).ravel() == pytest.approx(x.grad.numpy().ravel(), abs=1e-9)


def test_nodes_are_named_by_their_module():
    L = cg.from_torch(Block().double(), torch.randn(1, 3, 8).double())
    assert {"norm1.layer_norm", "attention.linear", "feedforward.0.linear", "feedforward.1.gelu"} <= set(L)
    assert L.nodes["feedforward.1.gelu"]["operation"] == "gelu"
    assert L.nodes["feedforward.0.weight"]["role"] == "weight"


def test_any_node_with_respect_to_any_other_both_ways():
    L = cg.from_torch(Block().double(), torch.randn(1, 2, 8).double())
    (t,) = L.outputs
    nodes = ["x", "norm1.layer_norm", "feedforward.0.linear", "feedforward.2.bias"]
    for i in nodes:
        forward, reverse = (cg.sensitivity(L, i, t, direction=direction) for direction in ("forward", "reverse"))
        assert forward == pytest.approx(reverse, abs=1e-12)
    expected = torch.autograd.functional.jacobian(lambda h: h + F.gelu(h), torch.ones(2, dtype=torch.float64))
    L = cg.from_torch(lambda h: h + F.gelu(h), torch.ones(2, dtype=torch.float64))
    assert cg.sensitivity(L, "h", L.outputs[0]) == pytest.approx(expected.numpy(), abs=1e-15)


def assigned(v):
    u = v.clone()
    u[0] = v[1] * v[2]
    return (u**2).sum()


FUNCTIONS = {
    "the same operand twice": lambda v: (v * v).sum(),
    "in place": lambda v: v.clone().mul_(3).add_(v).sum(),
    "in place on a view": assigned,
    "views": lambda v: (v.view(3, 1) @ v[None]).T.reshape(-1)[2:5].prod(),
    "complex": lambda v: (torch.fft.fft(v).abs() ** 2 * torch.arange(3)).sum(),
    "several outputs": lambda v: torch.linalg.eigh(torch.outer(v, v) + torch.diag(torch.arange(1.0, 4)))[0][1],
    "sort and gather": lambda v: (v.sort().values * v[[2, 0, 1]]).sum(),
    "where and max": lambda v: torch.where(v > 0, v, 0.1 * v).sum() + v.max(),
    "softmax": lambda v: v.softmax(0)[1],
    "einsum": lambda v: torch.einsum("i,j->", v, v.tanh()),
    "scatter": lambda v: torch.zeros(4).double().index_add(0, torch.tensor([1, 1, 3]), v).pow(2).sum(),
    "special": lambda v: torch.special.erf(v).sum() + torch.lgamma(v**2 + 1).sum(),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name):
    function = FUNCTIONS[name]
    v = torch.tensor([0.5, -1.2, 0.8], dtype=torch.float64)
    L = cg.from_torch(function, v)
    (t,) = L.outputs
    leaf = v.clone().requires_grad_()
    function(leaf).backward()
    assert cg.sensitivity(L, "v", t).ravel() == pytest.approx(leaf.grad.numpy(), abs=1e-12)
    assert L.nodes[t]["value"] == pytest.approx(function(v).item(), abs=1e-12)


def test_dropout_is_differentiated_with_the_mask_that_was_drawn():
    L = cg.from_torch(nn.Dropout(0.5), torch.ones(100, dtype=torch.float64))
    (t,) = L.outputs
    # Each entry is either dropped or doubled, and so is its derivative.
    assert set(L.nodes[t]["value"]) == {0.0, 2.0}
    assert cg.sensitivity(L, "input", t) == pytest.approx(np.diag(L.nodes[t]["value"]))
    state = torch.random.get_rng_state()
    cg.sensitivity(L, "input", t)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_arguments_may_be_trees_and_numbers():
    L = cg.from_torch(lambda pair, k: pair["a"] * pair["b"] * k, {"a": torch.ones(2), "b": torch.ones(2) * 3}, 2)
    (t,) = L.outputs
    assert len(L.inputs) == 2
    assert [cg.sensitivity(L, i, t).diagonal().tolist() for i in L.inputs] == [[6.0, 6.0], [2.0, 2.0]]


def test_an_effect_of_an_edge_is_that_of_a_hook():
    """For the edge from the residual stream into a module: a zero added to what this module alone reads has its gradient."""
    loss = Loss(Block()).double()
    clean, corrupted = torch.randn(1, 3, 8).double(), torch.randn(1, 3, 8).double()
    L, other = cg.from_torch(loss, clean), cg.from_torch(loss, corrupted)
    (t,) = L.outputs
    effects = cg.edge_attributions(L, t, other)

    def hooked(name):
        """Return (gradient of what the module reads, what it reads in both runs)."""
        module, seen = loss.get_submodule(name), []
        zero = torch.zeros_like(clean, requires_grad=True)
        handle = module.register_forward_pre_hook(lambda _, args: (seen.append(args[0].detach()), (args[0] + zero,))[1])
        loss(clean).backward()
        loss(corrupted)
        handle.remove()
        return zero.grad, seen[1] - seen[0]

    for name in ("network.norm1", "network.norm2"):
        gradient, difference = hooked(name)
        (tail,) = (i for i in L.predecessors(f"{name}.layer_norm") if L.nodes[i].get("role") != "weight")
        assert effects[tail, f"{name}.layer_norm"] == pytest.approx((gradient * difference).sum().item(), rel=1e-9)


def branches(v):
    return v * 2 if v.sum() > 0 else v


def test_what_export_refuses_is_said_in_one_message():
    with pytest.raises(cg.CGraphError, match="torch.export refuses branches: "):
        cg.from_torch(branches, torch.ones(2))


def test_values_of_a_graph_of_another_program_cannot_be_changed():
    L = cg.from_torch(lambda v: (v * 2).sum(), torch.ones(2))
    with pytest.raises(cg.InvalidNodeError, match="'v' cannot be set"):
        cg.evaluate(L, {"v": [3.0, 4.0]})
