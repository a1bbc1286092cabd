# Where agents' code runs on Google, when cloud_sandbox is on (docs/deploy.md says what was never tried there).
module "network" {
  source = "./modules/network"
  count  = var.cloud_sandbox ? 1 : 0

  region = var.region

  depends_on = [google_project_service.needed]
}

# No role anywhere: whoever gets hold of its token holds nothing.
resource "google_service_account" "runner" {
  account_id   = "ab-runner"
  display_name = "Agent Builder: runs agents' code, may do nothing"
}

resource "google_project_iam_custom_role" "starter" {
  role_id     = "abRunStarter"
  title       = "Starts and cancels runs"
  description = "On the runner's jobs only."
  permissions = [
    "run.executions.cancel",
    "run.executions.get",
    "run.executions.list",
    "run.jobs.run",
    "run.jobs.runWithOverrides",
  ]
}

module "runner" {
  source   = "./modules/runner"
  for_each = var.cloud_sandbox ? var.shapes : {}

  name         = each.key
  region       = var.region
  image        = local.images.runner
  account      = google_service_account.runner.email
  starter      = google_service_account.service["executor"].member
  starter_role = google_project_iam_custom_role.starter.name
  cpu          = each.value.cpu
  memory       = each.value.memory
  network      = each.value.network
  protect      = var.protect
  labels       = local.labels

  vpc = {
    network    = module.network[0].network
    subnetwork = module.network[0].runner.subnetwork
    tag        = module.network[0].runner.tag
  }
}

# Packages reach a run by links to the bucket, which the executor signs in its own name, without a key file.
resource "google_service_account_iam_member" "executor_signs" {
  service_account_id = google_service_account.service["executor"].name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = google_service_account.service["executor"].member
}

# The only way out of a run, from the executor's image. Of all that runs.
resource "google_service_account" "egress" {
  account_id   = "ab-executor-egress"
  display_name = "Agent Builder: the way out of runs"
}

resource "google_cloud_run_v2_service" "egress" {
  count = var.cloud_sandbox ? 1 : 0

  name                = "ab-executor-egress"
  location            = var.region
  ingress             = "INGRESS_TRAFFIC_INTERNAL_ONLY"
  deletion_protection = var.protect
  labels              = local.labels

  template {
    service_account                  = google_service_account.egress.email
    execution_environment            = "EXECUTION_ENVIRONMENT_GEN2"
    timeout                          = "3600s" # one connection a run, for as long as it lasts
    max_instance_request_concurrency = 100

    scaling {
      min_instance_count = 1
      max_instance_count = 50
    }

    vpc_access {
      egress = "ALL_TRAFFIC"
      network_interfaces {
        network    = module.network[0].network
        subnetwork = module.network[0].egress.subnetwork
        tags       = [module.network[0].egress.tag]
      }
    }

    containers {
      image   = local.images.executor
      command = var.egress_command

      resources {
        limits = {
          cpu    = "1"
          memory = "512Mi"
        }
      }

      env {
        name  = "AB_PROFILE"
        value = "gcp"
      }

      env {
        name  = "AB_GCP_PROJECT"
        value = var.project
      }

      env {
        name = "AB_VAULT_KEY"
        value_source {
          secret_key_ref {
            secret  = google_secret_manager_secret.this["vault-key"].secret_id
            version = "latest"
          }
        }
      }
    }
  }

  lifecycle {
    precondition {
      condition     = length(var.egress_command) > 0
      error_message = "cloud_sandbox needs egress_command: what starts executor-egress."
    }
  }

  depends_on = [google_secret_manager_secret_iam_member.egress]
}

# It asks who a run is (executor) and what a placeholder stands for (gateway), and reads nothing else.
resource "google_project_iam_member" "egress_reads" {
  for_each = toset(["executor", "gateway"])

  project = var.project
  role    = "roles/datastore.viewer"
  member  = google_service_account.egress.member

  condition {
    title      = "database ${each.key}, reading"
    expression = "resource.name == \"projects/${var.project}/databases/${each.key}\""
  }
}

resource "google_secret_manager_secret_iam_member" "egress" {
  secret_id = google_secret_manager_secret.this["vault-key"].id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.egress.member
}

# Google's front door lets the runner's account through to two services. What it may do there its attempt's own token
# says, which both check themselves.
resource "google_cloud_run_v2_service_iam_member" "run_api" {
  count = var.cloud_sandbox ? 1 : 0

  name     = module.service["executor"].name
  location = var.region
  role     = "roles/run.invoker"
  member   = google_service_account.runner.member
}

resource "google_cloud_run_v2_service_iam_member" "runs" {
  count = var.cloud_sandbox ? 1 : 0

  name     = google_cloud_run_v2_service.egress[0].name
  location = var.region
  role     = "roles/run.invoker"
  member   = google_service_account.runner.member
}
