"""The window of BrainLM Studio. It talks to the engine through ``brainlm_engine.api`` and computes nothing itself."""
