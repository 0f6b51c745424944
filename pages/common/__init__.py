"""What the pages share: state ↔ widgets ↔ link, the store and the engine, progress, pictures, downloads."""
