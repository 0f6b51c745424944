"""Photographs from files: listing, safe decoding, caching by content, stratified subsamples. No dataset is registered here."""
