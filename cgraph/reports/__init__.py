"""What people read: tables and formulas."""
