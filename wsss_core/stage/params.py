"""Reading `params.yaml` and handing a section on as keyword arguments, with names and types checked."""

from __future__ import annotations

import difflib
import inspect
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, TypeVar

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from wsss_core.stage.errors import InputError

T = TypeVar("T")

PARAMS_FILE = Path("params.yaml")


def load_params(path: Path = PARAMS_FILE) -> dict[str, Any]:
    """Read a parameter file as plain dicts, lists and numbers (YAML 1.2: `1e-3` is a number, `yes` is text)."""
    try:
        with open(path, encoding="utf-8") as file:
            params = YAML(typ="safe").load(file)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; run `wsss init demo` or change to the project's root") from None
    except YAMLError as error:
        raise InputError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(params, dict):
        raise InputError(f"{path}: expected sections with keys, found {type(params).__name__}")
    return params


def section(params: Mapping[str, Any], name: str, *, path: Path = PARAMS_FILE) -> dict[str, Any]:
    """The section at a dotted name, e.g. `train_segmenter.mining_1`.

    Raises:
        InputError: the section is missing or is not a mapping.
    """
    node: Any = params
    walked: list[str] = []
    for key in name.split("."):
        if not isinstance(node, Mapping) or key not in node:
            raise InputError(f"{path}: {name}: no such section{_hint(key, node, walked)}")
        node = node[key]
        walked.append(key)
    if node is None:
        return {}
    if not isinstance(node, Mapping):
        raise InputError(f"{path}: {name}: expected keys and values, found {node!r}")
    return dict(node)


def bind(function: Callable[..., T], settings: Mapping[str, Any], where: str, /, **given: Any) -> T:
    """Call `function` with the section `settings` and the arguments that the stage supplies itself.

    Unknown keys, missing keys and values of the wrong type become one-line errors that name `where.key`.
    Whole numbers pass for floats, lists for tuples; mappings pass for dataclass parameters, checked the same way.
    """
    plain_class = inspect.isclass(function) and not is_dataclass(function)
    hints = typing.get_type_hints(function.__init__ if plain_class else function)  # of a field where its class is
    parameters = {
        name: parameter
        for name, parameter in inspect.signature(function).parameters.items()
        if name not in given and parameter.kind in (parameter.KEYWORD_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    }
    for key in settings:
        if key not in parameters:
            raise InputError(f"{PARAMS_FILE}: {where}.{key}: unknown key{_hint(str(key), parameters, [])}")
    missing = [name for name, p in parameters.items() if p.default is p.empty and name not in settings]
    if missing:
        raise InputError(f"{PARAMS_FILE}: {where}.{missing[0]}: missing; add it to the section {where}")
    values = {key: _convert(value, hints.get(key, Any), f"{where}.{key}") for key, value in settings.items()}
    try:
        return function(**values, **given)
    except ValueError as error:
        if inspect.isclass(function):
            raise InputError(f"{PARAMS_FILE}: {where}: {error}") from error
        raise


def _convert(value: Any, hint: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return value
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        return _convert(value, next(a for a in arguments if a is not type(None)), where)
    if origin is typing.Literal:
        if value not in arguments:
            raise InputError(f"{PARAMS_FILE}: {where}: {value!r} is not one of {', '.join(map(repr, arguments))}")
        return value
    if origin in (tuple, list):
        if not isinstance(value, (list, tuple)):
            raise InputError(f"{PARAMS_FILE}: {where}: expected a list, found {value!r}")
        return origin(_convert(item, arguments[0], f"{where}[{i}]") for i, item in enumerate(value))
    if origin is dict or hint is dict:
        if not isinstance(value, Mapping):
            raise InputError(f"{PARAMS_FILE}: {where}: expected keys and values, found {value!r}")
        return dict(value)
    if inspect.isclass(hint) and hasattr(hint, "__dataclass_fields__"):
        if not isinstance(value, Mapping):
            raise InputError(f"{PARAMS_FILE}: {where}: expected keys and values, found {value!r}")
        return bind(hint, value, where)
    return _convert_plain(value, hint, where)


def _convert_plain(value: Any, hint: Any, where: str) -> Any:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if hint is float and is_number:
        return float(value)
    if hint is Path and isinstance(value, str):
        return Path(value)
    if hint in (int, bool, str) and type(value) is hint:
        return value
    name = {int: "a whole number", float: "a number", bool: "true or false", str: "text", Path: "a path"}
    raise InputError(f"{PARAMS_FILE}: {where}: expected {name.get(hint, hint)}, found {value!r}")


def _hint(key: str, known: Any, walked: list[str]) -> str:
    names = [str(name) for name in known] if isinstance(known, Mapping) else []
    close = difflib.get_close_matches(key, names, n=1)
    if close:
        return f"; did you mean {'.'.join([*walked, close[0]])}?"
    return f"; known: {', '.join(names)}" if names else ""
