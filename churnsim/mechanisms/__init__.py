"""The rules of the model: pure scalar functions that both engines call.

A mechanism turns records and uniforms into a value or a new state. It knows nothing of
queues, arrays, files, the order of events or engines, and it never draws: whoever calls
it has looked the uniform up by its address.
"""
