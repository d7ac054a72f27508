"""Two scans side by side."""

COMPARE = {
    "action.compare": "Compare with Another Scan…",
    "action.compare.tip": "Show a second 4D scan beside this one, on the same crosshair and time cursor",
    "action.compare_close": "Close the Comparison",
    "action.compare_close.tip": "Show the open scan alone again",
    "reason.comparison": "No second scan stands beside this one.",
    "compare.title": "Compare with another scan",
    "compare.filter": "4D scans (*.nii *.nii.gz *.hdr *.img)",
    "compare.table": "{name} is a table; the comparison shows 4D scans.",
    "compare.table_next": "Choose a NIfTI image.",
    "compare.hidden": "Second case",
    "compare.frame": "frame {frame} of {count}",
    "compare.ended": "ended, its last frame stays",
    "compare.by_frame": "linked by frame, TR not known",
    "compare.apart": "not in the space of the first scan",
    "compare.outside": "outside this scan",
    "slices.name_second": "Slices of the second scan",
    "probe.second": "Voxel value,\nsecond scan",
}
