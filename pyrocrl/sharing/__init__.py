"""Latents that several modalities see."""
