"""A command as data. Menus, shortcuts, the palette and buttons are all made from lists of these."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Action:
    """One command.

    Attributes
    ----------
    id : its title is ``tr('action.<id>')``, its tooltip ``action.<id>.tip`` when there is one
    callback : name of the method of :class:`app.controllers.commands.Commands` that does it
    argument : passed to the method unless ''
    menu : 'file', 'edit', 'view', ...; '' = only in the palette
    shortcut : in Qt's portable notation
    needs : conditions of :mod:`app.actions.conditions`, all of which must hold
    checked : (state field, value) when the command shows a check mark
    icon : file name in ``resources/icons`` without suffix
    separated : True when a line comes before it in the menu
    """

    id: str
    callback: str
    argument: str = ""
    menu: str = ""
    shortcut: str = ""
    needs: tuple[str, ...] = ()
    checked: tuple[str, object] | None = None
    icon: str = ""
    separated: bool = False
