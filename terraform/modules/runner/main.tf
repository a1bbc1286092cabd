# One execution is one attempt. An execution's overrides cannot change image, memory, account or network, so each shape
# is a job of its own. Both kinds of network look alike to the firewall, because every run speaks to the Run API: which
# of them gets a way out is the gateway's to say, by the token of the run.
resource "google_cloud_run_v2_job" "this" {
  name                = "ab-run-${var.name}"
  location            = var.region
  deletion_protection = var.protect
  labels              = merge(var.labels, { network = var.network })

  template {
    task_count  = 1
    parallelism = 1

    template {
      service_account       = var.account
      execution_environment = "EXECUTION_ENVIRONMENT_GEN2"
      max_retries           = 0       # a second attempt is the platform's decision, never Cloud Run's
      timeout               = "3900s" # the longest run there is, and five minutes; each start overrides it

      vpc_access {
        egress = "ALL_TRAFFIC"
        network_interfaces {
          network    = var.vpc.network
          subnetwork = var.vpc.subnetwork
          tags       = [var.vpc.tag]
        }
      }

      containers {
        image = var.image
        resources {
          limits = {
            cpu    = var.cpu
            memory = var.memory
          }
        }
      }
    }
  }
}

resource "google_cloud_run_v2_job_iam_member" "starter" {
  name     = google_cloud_run_v2_job.this.name
  location = var.region
  role     = var.starter_role
  member   = var.starter
}
