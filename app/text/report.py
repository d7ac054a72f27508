"""Words of the Report card tab."""

REPORT = {
    "tab.report": "Report card",
    "report.nothing": "The engine is getting ready; then the report card of the chosen model stands here.",
    "report.heading": "Report card",
    "report.model": "Model: {title}. Another one is chosen on the tab Reconstruct.",
    "report.text.name": "What the model can do on people it has not seen, beside the simple methods",
    "report.none": "It has not been evaluated yet. Press Evaluate on a Cohort…",
    "report.running": "Being evaluated; the Jobs list says how far it is.",
    "report.about": "Reconstruction, forecasts, networks and what its embeddings tell, on people of the split “test”. "
    "About ten minutes for a hundred people on two processor cores.",
    "report.choose.title": "Cohort to evaluate the model on",
    "report.job": "Evaluate {title}",
    "report.done": "{title} is evaluated: its report card is up to date.",
    "report.export.title": "Export the report card",
    "report.export.md": "Markdown (*.md)",
    "report.export.html": "Web page (*.html)",
    "report.export.done": "Report card written to {name}.",
}
