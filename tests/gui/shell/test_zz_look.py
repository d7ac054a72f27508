from __future__ import annotations
import asyncio, os
from pathlib import Path
import numpy as np
from app.controllers.studio import Options
from tests.gui.shell.test_shell_model import ANSWERS


def test_look(window, live, until, tmp_path):
    from brainlm_engine.recording import Recording
    from brainlm_engine.api.messages import Reply
    from app.state.attention_maps import Contrasted
    from brainlm_engine.api.contrast import ContrastInfo, ContrastMethod
    import csv

    r = Recording.load(Path("/tmp/work/demo-cohort/recordings/sub-00002_task-rest_run-1.safetensors"))
    path = tmp_path / "a.tsv"
    np.savetxt(
        path, r.series.T[:200], fmt="%.4f", delimiter="\t", header="\t".join(f"p{i}" for i in range(424)), comments=""
    )

    def made(file, what, names_of, verdict):
        rows = list(csv.DictReader(open(file)))
        keys = ("t_59", "p", "p_family_wise", "q_false_discovery", "dz", "dz_low", "dz_high")
        methods, arrays = [], {}
        for name, title in names_of:
            own = [x for x in rows if x["measure"] == title]
            for k, f in zip(keys, ("t", "p", "p_family", "q", "effect", "low", "high")):
                arrays[f"{name}_{f}"] = np.array([float(x[k] or "nan") for x in own], np.float32)
            methods.append(
                ContrastMethod(
                    method=name,
                    title=title,
                    names=tuple(x["name"] for x in own),
                    of_parcels=what == "attention",
                    tested=len(own),
                    significant=0,
                    discovered=0,
                )
            )
        info = ContrastInfo(
            model_id="studio-tiny",
            data="demo-cohort",
            what=what,
            column="task",
            first="rest",
            second="visual",
            paired=True,
            people=(60, 60),
            recordings=120,
            permutations=10001,
            df=59,
            methods=tuple(methods),
            agreement=0.3,
            verdict=verdict,
        )
        return Contrasted(info, arrays)

    async def story(studio):
        state = studio.state
        assert await studio.open_path(path, ANSWERS)
        assert await studio.prepared()
        studio.show_workspace("model")
        state.shell.put(model_tab="attention")
        await until(lambda: state.attention.result is not None)
        await studio.settled()
        await asyncio.sleep(1)
        await studio.settled()
        studio.pointing.choose((3,))
        await studio.settled()
        await asyncio.sleep(0.5)
        window.grab().save("/tmp/look-t2.png")
        state.attention.put(scale="raw", source="rollout")
        await studio.settled()
        await asyncio.sleep(0.5)
        window.grab().save("/tmp/look-t3.png")
        state.attention.put(source="attention", scale="share")
        studio.contrast_folder("/tmp/work/demo-cohort")
        await until(lambda: state.contrast.choices is not None)
        await studio.settled()
        page = studio.attending._page
        studio.set_theme("light")
        await asyncio.sleep(0.3)
        state.contrast.put(
            result=made(
                "/tmp/tc/rest_visual.csv",
                "attention",
                (("attention", "Attention of the summary token"), ("strength", "Functional connectivity strength")),
                "No sure difference between rest and visual in the model; 3 of 424 in functional connectivity strength.",
            ),
            shown="model",
        )
        await studio.settled()
        await asyncio.sleep(0.5)
        page.side.verticalScrollBar().setValue(9999)
        await asyncio.sleep(0.2)
        window.grab().save("/tmp/look-t4.png")
        state.contrast.put(masked=False)
        await studio.settled()
        await asyncio.sleep(0.5)
        window.grab().save("/tmp/look-t5.png")
        state.contrast.put(
            result=made(
                "/tmp/tc/nets_rest_visual.csv",
                "networks",
                (
                    ("networks", "Attention between networks"),
                    ("network_strength", "Functional connectivity between networks"),
                ),
                "6 of 49 differ between rest and visual in the model, 11 of 49 in functional connectivity between networks.",
            ),
            shown="model",
            masked=True,
        )
        await studio.settled()
        await asyncio.sleep(0.5)
        window.grab().save("/tmp/look-t6.png")
        window.resize(2560, 1440)
        await asyncio.sleep(1)
        await studio.settled()
        window.grab().save("/tmp/look-t7.png")
        state.contrast.put(shown="recording")
        studio.set_theme("dark")
        await studio.settled()
        page.panel.fold.setChecked(True)
        page.side.verticalScrollBar().setValue(0)
        await asyncio.sleep(1)
        window.grab().save("/tmp/look-t8.png")

    live(story, window, Options(no_3d=False), timeout=200)
