"""Words of the drawing views: brain, slices, traces, carpet, time bar, colour bar, quality strip."""

from __future__ import annotations

DRAWING: dict[str, str] = {
    "brain.name": "3D brain",
    "brain.help": (
        "Drag to turn, wheel to zoom, Shift-drag to move, click a region to choose it. Keys: arrows turn, "
        "1 to 6 look from left, right, front, back, top, bottom, 7 four views, 0 reset, "
        "comma and full stop previous and next region."
    ),
    "brain.preparing": "Preparing the 3D brain …",
    "brain.no_surfaces": "The brain surface is loading …",
    "brain.off_asked": "3D is switched off. Regions are shown as discs instead.",
    "brain.off_no_opengl": "This computer cannot draw in 3D. Regions are shown as discs instead.",
    "brain.reason_asked": "3D was switched off with --no-3d or in the preferences.",
    "brain.reason_opengl": "OpenGL 3.2 is not available: {detail}",
    "brain.no_driver": "no graphics driver answered.",
    "brain.flat.left": "From the left",
    "brain.flat.back": "From behind",
    "brain.flat.top": "From above",
    "brain.flat.right": "From the right",
    "brain.left lateral": "Left, outer side",
    "brain.right lateral": "Right, outer side",
    "brain.left medial": "Left, inner side",
    "brain.right medial": "Right, inner side",
    "brain.left lateral.short": "Left outer",
    "brain.right lateral.short": "Right outer",
    "brain.left medial.short": "Left inner",
    "brain.right medial.short": "Right inner",
    "brain.subcortex": "Subcortex",
    "brain.cerebellum": "Cerebellum",
    "brain.inset": "Below the cortex",
    "side.L": "L",
    "side.R": "R",
    "slices.name": "Slices",
    "slices.help": (
        "Drag moves the crosshair, the wheel goes through the slices, Ctrl and wheel zoom. Keys: arrows move the "
        "crosshair, Page Up and Page Down go through the slices, X, Y, Z choose the slice, plus, minus and 0 zoom."
    ),
    "slices.sagittal": "Sagittal",
    "slices.coronal": "Coronal",
    "slices.axial": "Axial",
    "slices.short": "{axis} {mm} mm",
    "slices.short_oblique": "{number} of {count} (oblique)",
    "traces.name": "Parcel traces",
    "traces.help": (
        "Drag moves, a click sets the time and chooses the row, the wheel scrolls rows, Shift and wheel scroll time, "
        "Ctrl and wheel zoom time, Alt and wheel make rows higher. Keys: left and right frame by frame, up and down "
        "row by row, plus and minus zoom time, with Shift they make rows higher, 0 shows all."
    ),
    "traces.measured": "measured",
    "traces.predicted": "reconstructed",
    "traces.hidden": "hidden from the model",
    "traces.hidden.short": "hidden",
    "traces.missing": "missing",
    "carpet.name": "Carpet plot",
    "time.name": "Time",
    "time.slider": "Frame",
    "time.where": "Time and frame",
    "time.speed": "Speed of playing, seconds of recording per second",
    "time.times": "{factor}×",
    "time.play": "Play",
    "time.pause": "Pause",
    "time.nothing": "Open a scan with more than one frame to play it.",
    "time.frame": "frame {frame} of {count}",
    "time.label": "{place}   {frames}",
    "qc.name": "Quality over time",
    "qc.unknown": "not known",
    "qc.peak": "max {value}",
    "qc.peak_of": "{name}, max",
    "time.axis.s": "Time (s)",
    "time.axis.TR": "Frame",
    "time.axis.clock": "min:s",
    "colour_bar.name": "Colour bar, {lo} to {hi} {unit}",
    "colour_bar.empty": "Colour bar, empty",
}
