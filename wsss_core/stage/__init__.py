"""The floor under every stage: errors a user can act on, parameters, the command wrapper."""

from wsss_core.stage.errors import InputError
from wsss_core.stage.output import whole_file, whole_folder
from wsss_core.stage.params import bind, load_params, section

__all__ = ["InputError", "bind", "load_params", "section", "whole_file", "whole_folder"]
