"""What the icon's two objects on the bus have, for the desktops that ask for that first."""

from collections.abc import Iterable, Mapping
from typing import TypeAlias
from xml.sax.saxutils import quoteattr

Methods: TypeAlias = Mapping[str, tuple[Iterable[str], Iterable[str]]]
"""By name, the types of what a method takes and of what it gives."""

ITEM_METHODS: Methods = {
    "Activate": ("ii", ""), "SecondaryActivate": ("ii", ""), "ContextMenu": ("ii", ""),
    "Scroll": ("is", ""),
}  # fmt: skip
# all of the protocol's, sent or not: some desktops fail where they cannot listen to one
ITEM_SIGNALS: Mapping[str, Iterable[str]] = {
    "NewIcon": "", "NewAttentionIcon": "", "NewOverlayIcon": "", "NewTitle": "", "NewToolTip": "",
    "NewStatus": "s",
}  # fmt: skip

MENU_METHODS: Methods = {
    "GetLayout": (["i", "i", "as"], ["u", "(ia{sv}av)"]),
    "GetGroupProperties": (["ai", "as"], ["a(ia{sv})"]),
    "GetProperty": ("is", "v"),
    "Event": ("isvu", ""),
    "EventGroup": (["a(isvu)"], ["ai"]),
    "AboutToShow": ("i", "b"),
    "AboutToShowGroup": (["ai"], ["ai", "ai"]),
}
MENU_SIGNALS: Mapping[str, Iterable[str]] = {
    "LayoutUpdated": "ui",
    "ItemsPropertiesUpdated": ["a(ia{sv})", "a(ias)"],
    "ItemActivationRequested": "iu",
}


def described(
    interface: str, properties: Mapping[str, tuple[str, object]], methods: Methods,
    signals: Mapping[str, Iterable[str]],
) -> str:  # fmt: skip
    """An object with one interface, in the XML of D-Bus' introspection."""
    members = [
        f"<property name={quoteattr(name)} type={quoteattr(kind)} access='read'/>"
        for name, (kind, _) in properties.items()
    ]
    for name, (takes, gives) in methods.items():
        arguments = _arguments(takes, " direction='in'") + _arguments(gives, " direction='out'")
        members.append(f"<method name={quoteattr(name)}>{arguments}</method>")
    for name, tells in signals.items():
        members.append(f"<signal name={quoteattr(name)}>{_arguments(tells)}</signal>")
    return f"<node><interface name={quoteattr(interface)}>{''.join(members)}</interface></node>"


def _arguments(kinds: Iterable[str], direction: str = "") -> str:
    return "".join(f"<arg type={quoteattr(kind)}{direction}/>" for kind in kinds)
