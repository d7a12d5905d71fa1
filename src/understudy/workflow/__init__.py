"""What must survive `kill -9`: the story of a task, its deliveries, the sweeping."""
