"""How the project's own atlas, MNI-424, is made: ``python -m brainlm_engine.atlas.build --out FOLDER``."""
