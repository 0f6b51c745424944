"""A laboratory beside the product: what is measured, on what plans, with which results, and what the documents say of them."""
