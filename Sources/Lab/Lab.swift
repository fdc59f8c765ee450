// The Lab target.
