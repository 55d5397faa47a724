"""Block YAML from dicts, lists, strings, numbers and booleans: just what a settings file needs."""
import json
import re

_PLAIN = re.compile(r"^[A-Za-z0-9_./][A-Za-z0-9_./:@%-]*$")
_RESERVED = {"true", "false", "yes", "no", "on", "null", "~"}  # `off` is a word that Ringside itself uses


def _scalar(value):
    if value is True:
        return "true"
    if value is False:
        return "false"
    if value is None:
        raise ValueError("a key without a value has no meaning here")
    if isinstance(value, (int, float)):
        return repr(value)
    if _PLAIN.match(value) and value.lower() not in _RESERVED and not re.match(r"^[0-9.]+$", value):
        return value
    return json.dumps(value)


def dump(value, indent=0):
    pad = "  " * indent
    lines = []
    for key, inner in value.items():
        if isinstance(inner, dict) and inner:
            lines += [f"{pad}{key}:", dump(inner, indent + 1).rstrip("\n")]
        elif isinstance(inner, dict):
            lines.append(f"{pad}{key}: {{}}")
        elif isinstance(inner, (list, tuple)):
            lines.append(f"{pad}{key}: [{', '.join(_scalar(item) for item in inner)}]")
        else:
            lines.append(f"{pad}{key}: {_scalar(inner)}")
    return "\n".join(lines) + "\n"


def merge(base, extra):
    """A new dict: extra laid over base, dict by dict; a None takes the key away."""
    out = dict(base)
    for key, value in extra.items():
        if value is None:
            out.pop(key, None)
        elif isinstance(value, dict) and isinstance(out.get(key), dict):
            out[key] = merge(out[key], value)
        else:
            out[key] = value
    return out
