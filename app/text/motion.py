"""Head motion: where it comes from, and how much there is."""

MOTION = {
    "action.motion": "Motion Parameters…",
    "action.motion.tip": "Choose a table with this scan’s head motion, such as fMRIPrep’s confounds; "
    "it is looked at only, nothing is regressed out",
    "motion.title": "Open motion parameters",
    "motion.filter": "Tables of confounds (*.tsv *.csv *.txt)",
    "quality.fd": "Head motion",
    "quality.fd.tip": "Framewise displacement: how far the head moved since the frame before",
    "quality.fd.line": "FD",
    "quality.fd.value": "{fd}, {mean}",
    "quality.fd.mean": "mean {mean} mm",
    "quality.fd.needed": "needs motion parameters",
    "unit.mm": "mm",
    "facts.motion": "Head motion",
    "motion.none": "No confounds table lies beside the scan. File > Motion Parameters… chooses one.",
    "motion.beside": "{name}, found beside the scan. For framewise displacement only; nothing is regressed out.",
    "motion.chosen": "{name}, chosen by you. For framewise displacement only; nothing is regressed out.",
    "motion.unfit": "{problem} It was found beside the scan and is not used.",
    "facts.fd": "Displacement",
    "motion.fd": "mean {mean} mm, {over} of {of} frames above {limit} mm",
    "motion.computed": "Computed from its six parameters, on a sphere of 50 mm.",
}
