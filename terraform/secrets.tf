resource "google_kms_key_ring" "this" {
  name     = "agent-builder"
  location = var.region

  depends_on = [google_project_service.needed]
}

# Encrypts messages and files at rest.
resource "google_kms_crypto_key" "data" {
  name            = "data"
  key_ring        = google_kms_key_ring.this.id
  rotation_period = "7776000s" # 90 days
  labels          = local.labels

  lifecycle {
    prevent_destroy = true
  }
}

resource "google_kms_crypto_key_iam_member" "pubsub" {
  crypto_key_id = google_kms_crypto_key.data.id
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = local.agent.pubsub
}

resource "google_kms_crypto_key_iam_member" "storage" {
  crypto_key_id = google_kms_crypto_key.data.id
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = data.google_storage_project_service_account.this.member
}

# Terraform makes the empty secrets; their values are typed in by a person and never in the state (docs/deploy.md).
locals {
  secrets = {
    owner-token = { variable = "AB_OWNER_TOKEN", readers = ["gateway"] }
  }
}

resource "google_secret_manager_secret" "this" {
  for_each = local.secrets

  secret_id           = "ab-${each.key}"
  labels              = local.labels
  deletion_protection = var.protect

  replication {
    user_managed {
      replicas {
        location = var.region
      }
    }
  }

  depends_on = [google_project_service.needed]
}

resource "google_secret_manager_secret_iam_member" "reader" {
  for_each = merge([
    for name, secret in local.secrets : {
      for reader in secret.readers : "${name}.${reader}" => { secret = name, reader = reader }
    }
  ]...)

  secret_id = google_secret_manager_secret.this[each.value.secret].id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.service[each.value.reader].member
}
