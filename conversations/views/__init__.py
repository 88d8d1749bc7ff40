"""Pages, fragments and the event stream: guard, form, one service call, answer."""
