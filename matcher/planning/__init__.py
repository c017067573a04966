"""The yearly list of tasks to fund: candidates and rules in, a list that can be defended out.

``candidates`` what may be funded · ``rules`` what the list must keep to · ``rows`` both as one
linear programme, each row with its words · ``solve`` the best list and what it is worth ·
``clashes`` which rules cannot be kept together · ``reasons`` why each line is in or out · ``plan``
all of that as one list · ``what_if`` what changes when something else is true.
"""
