"""How the project’s own atlas, MNI-424, is made (the command is ``python -m brainlm_engine.atlas.build``)."""
