"""What each way to put passages into a prompt costs and brings: answers, comparison, plot."""
