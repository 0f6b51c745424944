"""The picture that moves on the start page: the ground of three models in the plane, step by step."""
