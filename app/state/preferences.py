"""What a person sets once."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from app.state.model import State


class Preferences(State):
    """Kept between runs; every field has a safe default, so a bad file costs nothing but itself."""

    theme: Literal["dark", "light"] = "dark"
    atlas_id: str = "mni424"
    model_id: str = "studio-tiny"
    scale: Literal["sd", "percent", "raw"] = "sd"
    time_unit: Literal["s", "TR", "clock"] = "s"
    radiological: bool = False
    names_hidden: bool = False
    enable_3d: bool = True
    build_cache: bool = True
    offer_session: bool = True
    frame_limit: int = Field(default=60, ge=5, le=60)
