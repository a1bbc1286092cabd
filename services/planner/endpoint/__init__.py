"""The model endpoint of running agents: listed fields only, the workspace's key or none, every token paid for.

Read next: `web.py` (what is answered), `fields.py` (what may be asked), `metered.py` (the call). Why: decision 0031.
"""
