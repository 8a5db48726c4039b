"""Changes of settings in the tables of a read TOML file. Pure."""

from collections.abc import Mapping
from typing import Any

from basisdesk.errors import SettingsError
from basisdesk.ui.product_actions import SettingValue


def changed(raw: dict[str, Any], changes: Mapping[str, SettingValue]) -> dict[str, Any]:
    """The file's tables with these changes; `raw` is written over."""
    for key, value in changes.items():
        *tables, name = key.split(".")
        at: Any = raw
        for table in tables:
            at = at.setdefault(table, {}) if value is not None else at.get(table, {})
            if not isinstance(at, dict):
                raise SettingsError(f"Settings, key {key}: {table} is no table. Correct it first.")
        if value is None:
            at.pop(name, None)
        else:
            at[name] = value
    return raw
