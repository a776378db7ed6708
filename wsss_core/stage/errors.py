"""The one exception that is meant for the user's eyes."""


class InputError(Exception):
    """Something the user gave is wrong; the message says which file or key, what is wrong and the way out.

    Stages print it as one line (or as a list, when several problems were found in one pass) and exit with 1.
    """
