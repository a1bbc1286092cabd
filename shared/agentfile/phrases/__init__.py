"""Words of time in Korean and English: which days, which times, which intervals a text names.

Each module finds its own kind of phrase and says where; `shared.agentfile.words` puts them together.
"""
