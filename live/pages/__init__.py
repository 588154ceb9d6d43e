"""What people see: server-rendered templates, plain ES modules and one style, in two languages."""
