# The keys of what people entrust to the installation. They never leave KMS: services send what is to be wrapped or
# unwrapped (docs/keys.json says who; docs/decisions/0042).
locals {
  holders = merge(
    { for name, account in google_service_account.service : name => account.member },
    { executor-egress = google_service_account.egress.member },
  )
}

resource "google_kms_crypto_key" "ring" {
  for_each = local.keys.rings

  name            = each.key
  key_ring        = google_kms_key_ring.this.id
  rotation_period = "7776000s" # 90 days; older versions go on unwrapping
  labels          = local.labels

  lifecycle {
    prevent_destroy = true
  }
}

# Tokens, links and fingerprints follow from the first version: it is never rotated.
resource "google_kms_crypto_key" "signer" {
  # checkov:skip=CKV_GCP_43:Cloud KMS rotates no MAC keys by itself, and what follows from this one must stay the same.
  for_each = local.keys.signers

  name     = each.key
  key_ring = google_kms_key_ring.this.id
  purpose  = "MAC"
  labels   = local.labels

  version_template {
    algorithm = "HMAC_SHA256"
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "google_kms_crypto_key_iam_member" "wrap" {
  for_each = merge([
    for ring, who in local.keys.rings : { for name in who.wrap : "${ring}.${name}" => { ring = ring, name = name } }
  ]...)

  crypto_key_id = google_kms_crypto_key.ring[each.value.ring].id
  role          = "roles/cloudkms.cryptoKeyEncrypter"
  member        = local.holders[each.value.name]
}

resource "google_kms_crypto_key_iam_member" "unwrap" {
  for_each = merge([
    for ring, who in local.keys.rings : { for name in who.unwrap : "${ring}.${name}" => { ring = ring, name = name } }
  ]...)

  crypto_key_id = google_kms_crypto_key.ring[each.value.ring].id
  role          = "roles/cloudkms.cryptoKeyDecrypter"
  member        = local.holders[each.value.name]
}

# Where runs stay in the executor's own instance, it is their way out itself.
resource "google_kms_crypto_key_iam_member" "executor_secrets" {
  count = var.cloud_sandbox ? 0 : 1

  crypto_key_id = google_kms_crypto_key.ring["secrets"].id
  role          = "roles/cloudkms.cryptoKeyDecrypter"
  member        = local.holders["executor"]
}

resource "google_kms_crypto_key_iam_member" "sign" {
  for_each = merge([
    for key, names in local.keys.signers : { for name in names : "${key}.${name}" => { key = key, name = name } }
  ]...)

  crypto_key_id = google_kms_crypto_key.signer[each.value.key].id
  role          = "roles/cloudkms.signer"
  member        = local.holders[each.value.name]
}
