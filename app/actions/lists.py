"""All commands of the program, one list per menu."""

from __future__ import annotations

from app.actions.action import Action

FILE = (
    Action("open", "open_dialog", menu="file", shortcut="Ctrl+O", needs=("engine",), icon="folder"),
    Action("open_demo", "open_demo", menu="file", shortcut="Ctrl+D", needs=("engine",), icon="brain"),
    Action("reopen", "reopen_session", menu="file", needs=("engine", "session")),
    Action("choose_atlas", "choose_atlas", menu="file", needs=("engine", "volume"), separated=True),
    Action("prepare", "prepare_again", menu="file", needs=("engine", "unprepared")),
    Action("questions", "ask_questions", menu="file", needs=("engine", "questions")),
    Action("motion", "motion_dialog", menu="file", needs=("engine", "scan")),
    Action("compare", "compare_dialog", menu="file", needs=("engine", "volume")),
    Action("compare_close", "close_comparison", menu="file", needs=("comparison",)),
    Action("close_case", "close_case", menu="file", shortcut="Ctrl+W", needs=("scan",), separated=True),
    Action("save_session", "save_session", menu="file", shortcut="Ctrl+S", needs=("scan",)),
    Action("clear_recent", "clear_recent", menu="file", needs=("recent",)),
    Action("quit", "quit", menu="file", shortcut="Ctrl+Q", separated=True),
)

EDIT = (
    Action("undo", "undo", menu="edit", shortcut="Ctrl+Z", needs=("undo", "undo_asks")),
    Action("redo", "redo", menu="edit", shortcut="Ctrl+Shift+Z", needs=("redo", "redo_asks")),
    Action(
        "clear_selection", "clear_selection", menu="edit", shortcut="Ctrl+Shift+A", needs=("selection",), separated=True
    ),
    Action("preferences", "preferences", menu="edit", shortcut="Ctrl+,", separated=True),
)


def _workspace(name: str, number: int, *needs: str) -> Action:
    return Action(
        f"go_{name}", "show_workspace", name, "window", f"Ctrl+{number}", needs, ("shell.workspace", name), name
    )


WORKSPACES = (
    _workspace("cases", 1),
    _workspace("view", 2),
    _workspace("model", 3),
    _workspace("networks", 4),
    _workspace("perturb", 5),
    _workspace("train", 6),
)


def _choice(
    menu: str, command: str, field: str, values: tuple[tuple[str, str, str], ...], *needs: str
) -> tuple[Action, ...]:
    return tuple(
        Action(name, command, value, menu, shortcut, needs, (field, value), separated=position == 0)
        for position, (name, value, shortcut) in enumerate(values)
    )


VIEW = (
    *_choice(
        "view",
        "set_overlay",
        "view.overlay",
        (
            ("overlay_none", "none", "Alt+0"),
            ("overlay_activity", "activity", "Alt+1"),
            ("overlay_tsnr", "tsnr", "Alt+2"),
            ("overlay_coverage", "coverage", "Alt+3"),
        ),
        "recording",
    ),
    *_choice(
        "view",
        "set_scale",
        "view.scale",
        (("scale_sd", "sd", ""), ("scale_percent", "percent", ""), ("scale_raw", "raw", "")),
        "recording",
    ),
    Action(
        "radiological",
        "toggle_radiological",
        menu="view",
        shortcut="Ctrl+L",
        checked=("view.radiological", True),
        separated=True,
    ),
    Action("names_hidden", "toggle_names", menu="view", shortcut="Ctrl+H", checked=("view.names_hidden", True)),
)

BRAIN = (
    *_choice(
        "brain",
        "set_surface",
        "view.surface",
        (("surface_pial", "pial", "Ctrl+Shift+I"), ("surface_inflated", "inflated", "Ctrl+I")),
        "brain3d",
    ),
    *_choice(
        "brain",
        "set_brain_layout",
        "view.brain_layout",
        (("layout_panels", "panels", "Ctrl+Shift+B"), ("layout_whole", "whole", "Ctrl+B")),
        "brain3d",
    ),
    *(
        Action(f"brain_{side}", "brain_from", side, "brain", f"Shift+F{number}", ("brain3d",), separated=number == 1)
        for number, side in enumerate(("left", "right", "front", "back", "top", "bottom"), start=1)
    ),
)

TIME = (
    Action(
        "play",
        "toggle_play",
        menu="time",
        shortcut="Ctrl+Space",
        needs=("scan",),
        checked=("view.playing", True),
        icon="play",
    ),
    Action("previous_frame", "step_frame", "-1", "time", ",", ("scan",), separated=True),
    Action("next_frame", "step_frame", "+1", "time", ".", ("scan",)),
    Action("first_frame", "go_frame", "first", "time", "Alt+Home", ("scan",)),
    Action("last_frame", "go_frame", "last", "time", "Alt+End", ("scan",)),
    Action("slower", "change_speed", "0.5", "time", "[", ("scan",), separated=True),
    Action("faster", "change_speed", "2", "time", "]", ("scan",)),
    *_choice(
        "time",
        "set_time_unit",
        "view.time_unit",
        (("unit_s", "s", ""), ("unit_TR", "TR", ""), ("unit_clock", "clock", "")),
    ),
)

_ASKS = ("engine", "recording", "model")

FORECAST = (
    *_choice(
        "model",
        "show_model_tab",
        "shell.model_tab",
        (
            ("tab_reconstruct", "reconstruct", "Ctrl+Alt+R"),
            ("tab_forecast", "forecast", "Ctrl+Alt+F"),
            ("tab_states", "states", "Ctrl+Alt+S"),
            ("tab_attention", "attention", "Ctrl+Alt+A"),
            ("tab_report", "report", "Ctrl+Alt+E"),
        ),
    ),
    Action(
        "forecast",
        "forecast",
        menu="model",
        shortcut="Ctrl+Shift+F",
        needs=("engine", "recording", "model", "forecast_idle"),
        separated=True,
    ),
    Action("forecast_all", "forecast_all", menu="model", needs=("engine", "recording", "model")),
    Action("forecast_export", "forecast_export", menu="model", needs=("forecast",)),
    Action("states", "states", menu="model", needs=("engine", "recording", "model", "states_idle"), separated=True),
    Action("states_export", "states_export", menu="model", needs=("states",)),
    Action(
        "report_evaluate", "report_evaluate", menu="model", needs=("engine", "model", "not_reporting"), separated=True
    ),
    Action("report_export", "report_export", menu="model", needs=("report",)),
    Action("attention", "attention", menu="model", needs=(*_ASKS, "attention_idle"), separated=True),
    Action("occlude_all", "occlude_all", menu="model", needs=(*_ASKS, "occlusion_idle")),
    Action("attention_export", "attention_export", menu="model", needs=("attention",)),
    Action("contrast_cohort", "contrast_cohort", menu="model", needs=("engine",), separated=True),
    Action("contrast", "contrast", menu="model", needs=("engine", "model", "contrast_form", "contrast_idle")),
    Action("contrast_export", "contrast_export", menu="model", needs=("contrast",)),
)

NETWORKS = (
    Action(
        "networks",
        "networks",
        menu="networks",
        shortcut="Ctrl+Shift+N",
        needs=("engine", "recording", "model", "networks_idle"),
        icon="networks",
    ),
    *_choice(
        "networks",
        "show_networks",
        "networks.shown",
        (
            ("networks_found", "found", "Alt+7"),
            ("networks_reference", "reference", "Alt+8"),
            ("networks_right", "right", "Alt+9"),
        ),
        "networks",
    ),
    Action("networks_group", "networks_group", menu="networks", needs=("engine", "model"), separated=True),
    Action("networks_export", "networks_export", menu="networks", needs=("engine", "networks"), separated=True),
    Action("networks_brain", "networks_picture", "brain", menu="networks", needs=("networks",)),
    Action("networks_matrix", "networks_picture", "matrix", menu="networks", needs=("networks",)),
)

PERTURB = (
    Action("perturb_add", "perturb_add", menu="perturb", shortcut="Ctrl+T", needs=("recording",)),
    Action("perturb_network", "perturb_network", menu="perturb", needs=("recording", "target")),
    Action("perturb_remove", "perturb_remove", menu="perturb", needs=("recording", "target")),
    Action(
        "perturb", "perturb", menu="perturb", shortcut="Ctrl+Shift+E", needs=(*_ASKS, "targets", "perturb_idle"),
        icon="perturb", separated=True,
    ),
    *_choice(
        "perturb",
        "show_perturbed",
        "perturb.shown",
        (
            ("perturb_effect", "effect", "Alt+Shift+1"),
            ("perturb_difference", "difference", "Alt+Shift+2"),
            ("perturb_activity", "activity", "Alt+Shift+3"),
        ),
        "perturbed",
    ),
    Action("perturb_open", "perturb_open", menu="perturb", needs=("recording",), separated=True),
    Action("perturb_save", "perturb_save", menu="perturb", needs=("recording", "targets")),
    Action("perturb_export", "perturb_export", menu="perturb", needs=("engine", "perturbed")),
    Action("perturb_copy", "perturb_copy", menu="perturb", needs=("engine", "recording", "target")),
    Action(
        "perturb_lasso", "perturb_lasso", menu="perturb", shortcut="Ctrl+Alt+L", needs=("recording",),
        checked=("perturb.lasso", True),
    ),
    Action(
        "perturb_brush", "perturb_brush", menu="perturb", shortcut="Ctrl+Alt+B", needs=("recording",),
        checked=("perturb.brush", True),
    ),
    Action("perturb_apart", "perturb_apart", menu="perturb", shortcut="Alt+Shift+4", checked=("perturb.apart", True)),
    *_choice(
        "perturb",
        "show_question",
        "steer.question",
        (
            ("perturb_follows", "follows", "Alt+Shift+6"),
            ("perturb_take", "take", "Alt+Shift+7"),
            ("perturb_sweep", "sweep", "Alt+Shift+8"),
            ("perturb_map", "map", "Alt+Shift+0"),
            ("perturb_compare", "compare", "Alt+Shift+9"),
        ),
    ),
    Action("perturb_keep", "perturb_keep", menu="perturb", shortcut="Ctrl+Alt+K", needs=("perturbed", "room"),
           separated=True),
    Action("perturb_unkeep", "perturb_unkeep", menu="perturb", needs=("kept",)),
    Action("perturb_report", "perturb_report", menu="perturb", needs=("reportable",)),
    Action("perturb_gif", "perturb_gif", menu="perturb", needs=("perturbed",)),
    Action("sweep", "sweep", menu="perturb", shortcut="Ctrl+Alt+W", needs=(*_ASKS, "sweepable", "sweep_idle"),
           separated=True),
    Action("sweep_export", "sweep_export", menu="perturb", needs=("engine", "swept")),
    Action("effective", "effective", menu="perturb", needs=(*_ASKS, "effective_idle"), separated=True),
    Action("effective_export", "effective_export", menu="perturb", needs=("engine", "effective")),
    Action(
        "steer", "steer", menu="perturb", shortcut="Ctrl+Alt+T", needs=(*_ASKS, "steer_ready", "steer_idle"),
        separated=True,
    ),
    Action("steer_stop", "steer_stop", menu="perturb", needs=("engine", "steer_running")),
    Action("steer_file", "steer_file", menu="perturb", needs=("recording",)),
    Action("steer_cohort", "steer_cohort", menu="perturb", needs=("engine",)),
    Action("steer_demo", "steer_demo", menu="perturb", needs=("engine",)),
    Action("steer_export", "steer_export", menu="perturb", needs=("engine", "steered")),
)  # fmt: skip

MODEL = (
    Action(
        "reconstruct",
        "reconstruct",
        menu="model",
        shortcut="Ctrl+R",
        needs=("engine", "recording", "model", "idle"),
        icon="model",
    ),
    Action(
        "another_mask",
        "another_mask",
        menu="model",
        shortcut="Ctrl+Shift+R",
        needs=("engine", "recording", "model", "idle"),
    ),
    Action("reconstruct_all", "reconstruct_all", menu="model", needs=("engine", "recording", "model")),
    Action("repair", "repair", menu="model", needs=("engine", "recording", "model")),
    Action("mask_load", "mask_load", menu="model", needs=("recording", "model"), separated=True),
    Action("mask_save", "mask_save", menu="model", needs=("recording", "mask")),
    Action("mask_clear", "mask_clear", menu="model", needs=("recording", "model", "painted")),
    *_choice(
        "model",
        "show_result",
        "model.shown",
        (
            ("shown_reconstructed", "reconstructed", "Alt+4"),
            ("shown_difference", "difference", "Alt+5"),
            ("shown_r2", "r2", "Alt+6"),
        ),
        "result",
    ),
)

_SHOWN = ("engine", "training_shown")

TRAIN = (
    Action(
        "train_start",
        "train_start",
        menu="train",
        needs=("engine", "cohort", "no_training", "training_calm", "training_fits"),
    ),
    Action("train_pause", "train_pause", menu="train", needs=(*_SHOWN, "training_running", "training_calm")),
    Action(
        "train_resume",
        "train_resume",
        menu="train",
        needs=(*_SHOWN, "training_resumable", "no_training", "training_calm"),
    ),
    Action(
        "train_lower",
        "train_lower",
        menu="train",
        needs=(*_SHOWN, "training_spoiled", "no_training", "training_calm"),
    ),
    Action("train_stop", "train_stop", menu="train", needs=(*_SHOWN, "training_stoppable", "training_calm")),
    Action("train_clone", "train_clone", menu="train", needs=("training_shown",), separated=True),
    Action("train_open", "train_open", menu="train", needs=(*_SHOWN, "training_usable")),
    Action("train_evaluate", "train_evaluate", menu="train", needs=(*_SHOWN, "training_usable", "not_evaluating")),
    Action("cohort_small", "make_cohort", "small", menu="train", needs=("engine", "no_cohort_job"), separated=True),
    Action("cohort_large", "make_cohort", "large", menu="train", needs=("engine", "no_cohort_job")),
    Action("cohort_choose", "cohort_dialog", menu="train", needs=("engine",)),
)

ENGINE = (
    Action("engine_restart", "restart_engine", menu="engine", needs=("lost_engine",)),
    Action("job_log", "show_job_log", menu="engine", needs=("engine", "job"), separated=True),
    Action("job_again", "run_job_again", menu="engine", needs=("engine", "job", "job_ended")),
    Action("job_cancel", "cancel_job", menu="engine", needs=("engine", "job", "job_open")),
    Action("log_copy", "copy_log", menu="engine", needs=("log",), separated=True),
    Action("diagnostics", "diagnostics", menu="engine"),
)

WINDOW = (
    *WORKSPACES,
    Action("dock_jobs", "toggle_dock", "jobs", "window", "Ctrl+J", checked=("dock", "jobs"), separated=True),
    Action("dock_log", "toggle_dock", "log", "window", "Ctrl+Shift+L", checked=("dock", "log")),
    Action("dock_details", "toggle_dock", "details", "window", "Ctrl+Shift+D", checked=("dock", "details")),
    Action("side_panel", "toggle_panel", menu="window", shortcut="F9", checked=("dock", "panel"), icon="panel"),
    *_choice(
        "window",
        "set_mood",
        "shell.mood",
        (("mood_review", "review", "Ctrl+Shift+1"), ("mood_lab", "lab", "Ctrl+Shift+2")),
    ),
    Action("layout_save", "save_layout", menu="window", separated=True),
    Action("layout_restore", "restore_layout", menu="window"),
    Action("layout_reset", "reset_layout", menu="window"),
    *_choice("window", "set_theme", "preferences.theme", (("theme_dark", "dark", ""), ("theme_light", "light", ""))),
    Action("message_next", "step_message", "+1", "window", "F8", ("messages",), separated=True),
    Action("message_previous", "step_message", "-1", "window", "Shift+F8", ("messages",)),
    Action("page_picture", "page_picture", menu="window", shortcut="Ctrl+Alt+P", separated=True),
    Action("full_screen", "full_screen", menu="window", shortcut="F11"),
)

HELP = (
    Action("help", "help", menu="help", shortcut="F1", icon="question"),
    Action("palette", "command_palette", menu="help", shortcut="Ctrl+Shift+P", icon="search"),
    Action("about", "about", menu="help", separated=True),
)

MENUS = ("file", "edit", "view", "brain", "time", "model", "networks", "perturb", "train", "engine", "window", "help")
ALL: tuple[Action, ...] = (
    FILE + EDIT + VIEW + BRAIN + TIME + MODEL + FORECAST + NETWORKS + PERTURB + TRAIN + ENGINE + WINDOW + HELP
)
