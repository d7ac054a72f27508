"""Colours by name, for both themes. Views receive a :class:`Theme`; they never invent a colour.

Contrast, checked by ``tests/gui/views/test_tokens.py``: text and muted text at least 4.5:1 on canvas, window and panel;
borders, trace colours and network colours at least 3:1 on the canvas.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Theme:
    """Named colours as ``#RRGGBB``."""

    name: str
    dark: bool
    canvas: str
    """behind plots and the 3D brain"""
    window: str
    panel: str
    text: str
    muted: str
    border: str
    accent: str
    accent_text: str
    """text on an accent background"""
    success: str
    warning: str
    danger: str
    selection: str
    """background of a selected row"""
    slice_canvas: str
    """behind slices: near-black in both themes"""
    slice_text: str
    brain_grey: str
    """cortex without a value"""
    trace: tuple[str, ...]
    """Okabe-Ito; its orange, sky and yellow darkened on light"""
    networks: tuple[str, ...]
    """the seven reference networks in their usual hues and order: visual, somatomotor, dorsal attention, ventral
    attention, limbic, frontoparietal, default"""
    no_network: str
    """parcels outside the reference networks"""

    def network(self, index: int) -> str:
        """Colour of a network by position in the atlas's list; negative = none."""
        return self.networks[index % len(self.networks)] if index >= 0 else self.no_network


DARK = Theme(
    name="dark",
    dark=True,
    canvas="#0F1216",
    window="#171B21",
    panel="#1F252D",
    text="#E8EBF0",
    muted="#A7B0BD",
    border="#66707F",
    accent="#5AA9F0",
    accent_text="#0F1216",
    success="#55B985",
    warning="#E0A63A",
    danger="#F0766D",
    selection="#2A4361",
    slice_canvas="#07090B",
    slice_text="#E8EBF0",
    brain_grey="#9A9DA3",
    trace=("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#D55E00", "#CC79A7", "#0072B2"),
    networks=("#B077D9", "#5B9BD5", "#3DB26B", "#F07CE0", "#D9E58C", "#F0A03C", "#EE6A79"),
    no_network="#8A94A3",
)

LIGHT = Theme(
    name="light",
    dark=False,
    canvas="#FFFFFF",
    window="#F4F6F8",
    panel="#FFFFFF",
    text="#1A1F26",
    muted="#55606E",
    border="#7F8A99",
    accent="#1666B8",
    accent_text="#FFFFFF",
    success="#1E7A46",
    warning="#8F6000",
    danger="#BF352B",
    selection="#CFE3F7",
    slice_canvas="#07090B",
    slice_text="#E8EBF0",
    brain_grey="#B4B6BA",
    trace=("#A86C00", "#1F7FB5", "#009E73", "#857900", "#D55E00", "#A8497F", "#0072B2"),
    networks=("#781286", "#336FA3", "#00760E", "#B021D6", "#6E7F1A", "#A86000", "#C2313F"),
    no_network="#6B7685",
)

THEMES = {theme.name: theme for theme in (DARK, LIGHT)}
