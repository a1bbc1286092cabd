# What the code says about itself (make docs writes these files, tests/repo/test_terraform.py holds them to it).
locals {
  code      = jsondecode(file("${path.module}/../docs/events.json"))
  databases = jsondecode(file("${path.module}/../docs/databases.json"))
  keys      = jsondecode(file("${path.module}/../docs/keys.json"))
  services  = toset(keys(local.databases))

  # Cloud Run gives every service this address from the start, so that a service can be told its own.
  urls = {
    for name in local.services :
    name => "https://ab-${name}-${data.google_project.this.number}.${var.region}.run.app"
  }

  egress_url = "https://ab-executor-egress-${data.google_project.this.number}.${var.region}.run.app"

  # Google's own accounts in this project.
  agent = {
    pubsub    = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
    scheduler = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-cloudscheduler.iam.gserviceaccount.com"
  }

  labels = { app = "agent-builder" }
}

data "google_project" "this" {
  project_id = var.project
}

resource "google_project_service" "needed" {
  for_each = toset([
    "artifactregistry", "billingbudgets", "cloudkms", "cloudscheduler", "compute", "containerscanning", "dns", "firestore",
    "iam", "iamcredentials", "logging", "monitoring", "pubsub", "run", "secretmanager", "storage", "telemetry",
  ])

  service            = "${each.key}.googleapis.com"
  disable_on_destroy = false
}
