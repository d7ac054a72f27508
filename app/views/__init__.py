"""What a person sees. Every view is a plain widget: setters in, signals out, no state and no engine behind it."""
