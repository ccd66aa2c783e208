"""A made-up history for a hub that shall be looked at: organisations, lists, releases, deliveries, figures.

Everything in it is invented, under names that end in `.example`, and every page says so. Hashes are those of counting
numbers; the heads of the lists are really signed, so that a member could follow them. Only on an empty hub.

- `sizes`: how much of everything; `cast`: names; `parties`: organisations, people, keys;
- `lists`: publishers and signed heads; `history`: the releases before; `receiving`: who got them, and when;
- `uploads`: what waits at the upload desk; `figures`: daily figures and periods; `making`: all of it in order.
"""
