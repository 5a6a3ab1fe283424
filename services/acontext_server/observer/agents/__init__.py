"""The engines that read conversations: rules now, a model later, behind one port."""
