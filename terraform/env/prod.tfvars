# For people. The numbers are those of docs/scale.md for ten thousand agents.
region  = "asia-northeast3"
protect = true

services = {
  gateway   = { cpu = "1", memory = "1Gi", min = 2, max = 40, concurrency = 60, timeout_s = 3600 }
  planner   = { cpu = "1", memory = "1Gi", min = 1, max = 20, concurrency = 40, timeout_s = 660 }
  executor  = { cpu = "4", memory = "16Gi", min = 1, max = 1, concurrency = 40, timeout_s = 60 }
  scheduler = { cpu = "1", memory = "512Mi", min = 1, max = 10, concurrency = 20, timeout_s = 60 }
  ledger    = { cpu = "1", memory = "512Mi", min = 1, max = 10, concurrency = 20, timeout_s = 60 }
}

planner = { engine = "auto", model = "", base_url = "", month_tokens = 2000000 }

# Runs as jobs: one shape for each step of memory, with and without a way out. A container holds its run, the run's
# packages (its disk is memory) and what stands around.
cloud_sandbox = false

shapes = {
  "512mb-gateway"  = { cpu = "1", memory = "1Gi", memory_mb = 512, network = "gateway" }
  "512mb-none"     = { cpu = "1", memory = "1Gi", memory_mb = 512, network = "none" }
  "1024mb-gateway" = { cpu = "1", memory = "2Gi", memory_mb = 1024, network = "gateway" }
  "1024mb-none"    = { cpu = "1", memory = "2Gi", memory_mb = 1024, network = "none" }
  "2048mb-gateway" = { cpu = "2", memory = "4Gi", memory_mb = 2048, network = "gateway" }
  "2048mb-none"    = { cpu = "2", memory = "4Gi", memory_mb = 2048, network = "none" }
  "4096mb-gateway" = { cpu = "2", memory = "8Gi", memory_mb = 4096, network = "gateway" }
  "4096mb-none"    = { cpu = "2", memory = "8Gi", memory_mb = 4096, network = "none" }
}

month_budget = { currency = "USD", units = "3000" }
