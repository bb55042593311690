"""What the room gives to others, listed one by one."""

import importlib

import pytest


@pytest.mark.parametrize("name", ["tidewaiter.security", "tidewaiter.security.cms"])
def test_exports_exist_and_are_sorted(name: str) -> None:
    module = importlib.import_module(name)
    assert all(hasattr(module, export) for export in module.__all__)
    assert len(module.__all__) == len(set(module.__all__))


def test_every_error_is_exported() -> None:
    security = importlib.import_module("tidewaiter.security")
    errors = importlib.import_module("tidewaiter.security.errors")
    defined = {name for name, value in vars(errors).items() if isinstance(value, type)}
    assert defined <= set(security.__all__)
    assert all(issubclass(getattr(security, name), security.SecurityError) for name in defined)


def test_the_hierarchy_heads_the_module() -> None:
    errors = importlib.import_module("tidewaiter.security.errors")
    assert errors.__doc__ is not None
    defined = {name for name, value in vars(errors).items() if isinstance(value, type)}
    assert all(name in errors.__doc__ for name in defined)
