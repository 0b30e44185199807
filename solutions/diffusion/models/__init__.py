"""The models that can be trained and sampled. `registry` lists them by name; `solutions.diffusion.interface` says what each implements."""
