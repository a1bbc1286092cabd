# A project to try things in: one small instance of each, nothing protected.
region    = "asia-northeast3"
image_tag = "dev"
protect   = false

services = {
  gateway   = { cpu = "1", memory = "512Mi", min = 1, max = 2, concurrency = 60, timeout_s = 3600 }
  planner   = { cpu = "1", memory = "512Mi", min = 1, max = 2, concurrency = 40, timeout_s = 660 }
  executor  = { cpu = "2", memory = "4Gi", min = 1, max = 1, concurrency = 20, timeout_s = 60 }
  scheduler = { cpu = "1", memory = "512Mi", min = 1, max = 1, concurrency = 20, timeout_s = 60 }
  ledger    = { cpu = "1", memory = "512Mi", min = 1, max = 1, concurrency = 20, timeout_s = 60 }
}

planner = { engine = "auto", model = "", base_url = "", month_tokens = 2000000 }

month_budget = { currency = "USD", units = "300" }
