data "google_storage_project_service_account" "this" {
  project = var.project
}

# Named as in shared/runtime/profiles/google.py.
resource "google_storage_bucket" "blobs" {
  name                        = "${var.project}-agentbuilder"
  location                    = var.region
  storage_class               = "STANDARD"
  labels                      = local.labels
  force_destroy               = !var.protect
  public_access_prevention    = "enforced"
  uniform_bucket_level_access = true

  encryption {
    default_kms_key_name = google_kms_crypto_key.data.id
  }

  # What is deleted can be had back for a week, and is then gone: tapes and artifacts are people's data.
  soft_delete_policy {
    retention_duration_seconds = 604800
  }

  # The code deletes tapes after 30 days; this is for those it never got to.
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age            = 40
      matches_prefix = ["executor/tapes/"]
    }
  }

  # Imported folders are unpacked at once, what a look found is read at once.
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age            = 30
      matches_prefix = ["gateway/uploads/", "executor/looks/"]
    }
  }

  # What a job put there is believed, and copied, or deleted within minutes; this is for what nobody came for.
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age            = 1
      matches_prefix = ["executor/incoming/"]
    }
  }

  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = 1
    }
  }

  depends_on = [google_kms_crypto_key_iam_member.storage]
}

# These three read each other's files; each writes under its own name only.
locals {
  with_blobs = toset(["executor", "gateway", "planner"])
}

resource "google_storage_bucket_iam_member" "reader" {
  for_each = local.with_blobs

  bucket = google_storage_bucket.blobs.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.service[each.key].member
}

resource "google_storage_bucket_iam_member" "writer" {
  for_each = local.with_blobs

  bucket = google_storage_bucket.blobs.name
  role   = "roles/storage.objectUser"
  member = google_service_account.service[each.key].member

  condition {
    title      = "below ${each.key}/"
    expression = "resource.name.startsWith(\"projects/_/buckets/${google_storage_bucket.blobs.name}/objects/${each.key}/\")"
  }
}
