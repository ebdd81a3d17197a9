"""The family of methods that classify change, for researchers; detection itself uses one of them.

The formulas are written out here so that a table can be judged by any of them and compared. Which
method is chosen decides who "failed": every result names its method, and methods that compare a
client with the group never say that somebody got worse.
"""
