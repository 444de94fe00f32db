"""What churnsim takes, measured beside other programs that do the same work.

python -m benchmarks            all engines side by side: `churnsim bench`
python -m benchmarks.memory     one of the smaller measurements, each a module
"""
