"""The floor under every stage: errors a user can act on, parameters, the command wrapper."""

from wsss_core.stage.errors import InputError
from wsss_core.stage.params import bind, load_params, section

__all__ = ["InputError", "bind", "load_params", "section"]
