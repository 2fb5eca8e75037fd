"""The screens of the page as somebody meets them, each reached on real parts: what `e2e.contact_sheet` takes pictures of."""
