locals {
  public_url = var.public_url != "" ? var.public_url : local.urls.gateway

  # Names and meanings: docs/settings.md. What is empty is left at the code's default.
  settings = {
    executor = {
      AB_SANDBOX       = var.cloud_sandbox ? "cloud_run" : "bubblewrap"
      AB_RUN_API_URL   = local.urls.executor
      AB_EGRESS_URL    = local.egress_url
      AB_RUN_SHAPES    = join(",", [for name, shape in var.shapes : "${name}:${shape.memory_mb}:${shape.network}"])
      AB_PLANNER_URL   = local.urls.planner
      AB_PACKAGE_INDEX = var.package_index
      # An instance's disk is its memory.
      AB_PACKAGE_CACHE_GB = "1"
      AB_WARM_MB          = "0"
    }
    gateway = {
      AB_PUBLIC_URL   = local.public_url
      AB_FILES_URL    = var.files_url
      AB_PLANNER      = var.planner.engine
      AB_MODEL        = var.planner.model
      AB_MONTH_TOKENS = tostring(var.planner.month_tokens)
    }
    ledger = {
      AB_MONTH_TOKENS = tostring(var.planner.month_tokens)
    }
    planner = {
      AB_PLANNER         = var.planner.engine
      AB_MODEL           = var.planner.model
      ANTHROPIC_BASE_URL = var.planner.base_url
    }
    scheduler = {}
  }
}

module "service" {
  source   = "./modules/service"
  for_each = local.services

  name         = each.key
  region       = var.region
  image        = local.images[each.key]
  account      = google_service_account.service[each.key].email
  push_account = google_service_account.push[each.key]
  public       = each.key == "gateway"
  protect      = var.protect
  size         = var.services[each.key]
  vpc          = each.key == "executor" && !var.cloud_sandbox ? module.network.runner : null
  labels       = local.labels

  settings = merge(
    {
      AB_PROFILE       = "gcp"
      AB_GCP_PROJECT   = var.project
      AB_GCP_REGION    = var.region
      AB_DATA_DIR      = "/data"
      AB_LISTEN        = "0.0.0.0"
      AB_PORT          = "8080"
      AB_PUSH_ACCOUNT  = google_service_account.push[each.key].email
      AB_PUSH_AUDIENCE = local.urls[each.key]
      AB_PUSH_CHECKED  = each.key == "gateway" ? "" : "true"
      AB_TRACE_SHARE   = tostring(var.trace_share)
    },
    local.settings[each.key],
  )

  secrets = {
    for name, secret in local.secrets :
    secret.variable => google_secret_manager_secret.this[name].secret_id
    if contains(secret.readers, each.key)
  }

  depends_on = [
    google_project_service.needed,
    google_secret_manager_secret_iam_member.reader,
    module.database,
  ]
}
