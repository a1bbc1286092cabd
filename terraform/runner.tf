# Where agents' code runs on Google, when cloud_sandbox is on (docs/deploy.md says what was never tried there). Off, the
# executor asks the planner through it, who answers from inside alone.
module "network" {
  source = "./modules/network"

  region  = var.region
  way_out = var.cloud_sandbox

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

  vpc = module.network.runner
}

# Packages are installed by an execution of a job of their own: other people's code is built in it, so its account is
# not that of runs, and may do nothing either. Its disk is its memory, and holds every wheel twice.
resource "google_service_account" "builder" {
  account_id   = "ab-builder"
  display_name = "Agent Builder: installs agents' packages, may do nothing"
}

module "builder" {
  source = "./modules/runner"
  count  = var.cloud_sandbox ? 1 : 0

  name         = "packages"
  region       = var.region
  image        = local.images.runner
  account      = google_service_account.builder.email
  starter      = google_service_account.service["executor"].member
  starter_role = google_project_iam_custom_role.starter.name
  cpu          = "4"
  memory       = "16Gi"
  network      = "gateway"
  protect      = var.protect
  labels       = local.labels

  vpc = module.network.runner
}

# Packages get into the bucket and to a run by links, which the executor signs in its own name, without a key file.
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
        network    = module.network.egress.network
        subnetwork = module.network.egress.subnetwork
        tags       = [module.network.egress.tag]
      }
    }

    containers {
      image   = local.images.executor
      command = ["python", "-m", "services.all_in_one", "serve", "--only", "executor-egress"]

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
        name  = "AB_GCP_REGION"
        value = var.region
      }

      env {
        name  = "AB_DATA_DIR"
        value = "/data"
      }

      env {
        name  = "AB_LISTEN"
        value = "0.0.0.0"
      }

      env {
        name  = "AB_PLANNER_URL"
        value = local.urls.planner
      }

      env {
        name  = "AB_PACKAGE_INDEX"
        value = var.package_index
      }

      startup_probe {
        http_get {
          path = "/healthz"
        }
      }
    }
  }

  depends_on = [google_kms_crypto_key_iam_member.unwrap]
}

# It shares the executor's database, where it finds the doors and writes down what it sees; of the gateway's it reads
# what a placeholder stands for; in the bucket it leaves its part of tapes.
resource "google_project_iam_member" "egress_works" {
  project = var.project
  role    = "roles/datastore.user"
  member  = google_service_account.egress.member

  condition {
    title      = "database executor"
    expression = "resource.name == \"projects/${var.project}/databases/executor\""
  }
}

resource "google_project_iam_member" "egress_reads" {
  project = var.project
  role    = "roles/datastore.viewer"
  member  = google_service_account.egress.member

  condition {
    title      = "database gateway, reading"
    expression = "resource.name == \"projects/${var.project}/databases/gateway\""
  }
}

resource "google_storage_bucket_iam_member" "egress" {
  bucket = google_storage_bucket.blobs.name
  role   = "roles/storage.objectUser"
  member = google_service_account.egress.member

  condition {
    title      = "below executor/tapes/"
    expression = "resource.name.startsWith(\"projects/_/buckets/${google_storage_bucket.blobs.name}/objects/executor/tapes/\")"
  }
}

# Runs ask a model through whoever is their way out: the planner reads itself whose question it is (docs/decisions/0046).
resource "google_cloud_run_v2_service_iam_member" "model" {
  name     = module.service["planner"].name
  location = var.region
  role     = "roles/run.invoker"
  member   = var.cloud_sandbox ? google_service_account.egress.member : google_service_account.service["executor"].member
}

# Google's front door lets the accounts of the jobs through to two services. What they may do there the execution's own
# token says, which both check themselves.
locals {
  jobs = var.cloud_sandbox ? {
    runner  = google_service_account.runner.member
    builder = google_service_account.builder.member
  } : {}
}

resource "google_cloud_run_v2_service_iam_member" "run_api" {
  for_each = local.jobs

  name     = module.service["executor"].name
  location = var.region
  role     = "roles/run.invoker"
  member   = each.value
}

resource "google_cloud_run_v2_service_iam_member" "runs" {
  for_each = local.jobs

  name     = google_cloud_run_v2_service.egress[0].name
  location = var.region
  role     = "roles/run.invoker"
  member   = each.value
}
