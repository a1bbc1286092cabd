# A network for what runs other people's code, and nothing else. A job may open one kind of connection: TLS to Google's
# own front end, behind which executor-egress and the Run API answer. The internet, the other jobs and the rest of the
# project are closed to it.
locals {
  runner = "runner"
  egress = "executor-egress"

  # Source: cloud.google.com/vpc/docs/configure-private-google-access#domain-options (private.googleapis.com)
  google_front_end = ["199.36.153.8", "199.36.153.9", "199.36.153.10", "199.36.153.11"]

  # Where no site is: private, shared, loopback, link-local (with the metadata server), reserved.
  # The gateway refuses them by name; this refuses them once more.
  never = ["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/4", "240.0.0.0/4"]
}

resource "google_compute_network" "this" {
  name                    = "agent-builder"
  auto_create_subnetworks = false
}

resource "google_compute_subnetwork" "runner" {
  name                     = "runner"
  network                  = google_compute_network.this.id
  region                   = var.region
  ip_cidr_range            = "10.20.0.0/20"
  private_ip_google_access = true

  log_config {
    aggregation_interval = "INTERVAL_5_SEC"
    flow_sampling        = 0.5
    metadata             = "INCLUDE_ALL_METADATA"
  }
}

resource "google_compute_subnetwork" "egress" {
  name                     = "executor-egress"
  network                  = google_compute_network.this.id
  region                   = var.region
  ip_cidr_range            = "10.20.16.0/24"
  private_ip_google_access = true

  log_config {
    aggregation_interval = "INTERVAL_5_SEC"
    flow_sampling        = 0.5
    metadata             = "INCLUDE_ALL_METADATA"
  }
}

resource "google_compute_firewall" "nothing_in" {
  name          = "nothing-in"
  network       = google_compute_network.this.id
  direction     = "INGRESS"
  priority      = 65000
  source_ranges = ["0.0.0.0/0"]

  deny {
    protocol = "all"
  }

  log_config {
    metadata = "INCLUDE_ALL_METADATA"
  }
}

resource "google_compute_firewall" "runner_nothing_out" {
  name               = "runner-nothing-out"
  network            = google_compute_network.this.id
  direction          = "EGRESS"
  priority           = 65000
  target_tags        = [local.runner]
  destination_ranges = ["0.0.0.0/0"]

  deny {
    protocol = "all"
  }

  log_config {
    metadata = "INCLUDE_ALL_METADATA"
  }
}

resource "google_compute_firewall" "runner_to_front_end" {
  name               = "runner-to-front-end"
  network            = google_compute_network.this.id
  direction          = "EGRESS"
  priority           = 1000
  target_tags        = [local.runner]
  destination_ranges = ["199.36.153.8/30"]

  allow {
    protocol = "tcp"
    ports    = ["443"]
  }
}

resource "google_compute_firewall" "egress_never" {
  name               = "egress-never"
  network            = google_compute_network.this.id
  direction          = "EGRESS"
  priority           = 900
  target_tags        = [local.egress]
  destination_ranges = local.never

  deny {
    protocol = "all"
  }

  log_config {
    metadata = "INCLUDE_ALL_METADATA"
  }
}

# executor-egress goes out under one address, which sites may be told.
resource "google_compute_address" "egress" {
  count = var.way_out ? 1 : 0

  name   = "executor-egress"
  region = var.region
}

resource "google_compute_router" "this" {
  count = var.way_out ? 1 : 0

  name    = "agent-builder"
  network = google_compute_network.this.id
  region  = var.region
}

resource "google_compute_router_nat" "egress" {
  count = var.way_out ? 1 : 0

  name                               = "executor-egress"
  router                             = google_compute_router.this[0].name
  region                             = var.region
  nat_ip_allocate_option             = "MANUAL_ONLY"
  nat_ips                            = [google_compute_address.egress[0].id]
  source_subnetwork_ip_ranges_to_nat = "LIST_OF_SUBNETWORKS"

  subnetwork {
    name                    = google_compute_subnetwork.egress.id
    source_ip_ranges_to_nat = ["ALL_IP_RANGES"]
  }

  log_config {
    enable = true
    filter = "ERRORS_ONLY"
  }
}

# Inside this network the names of the services and of the bucket lead to the front end's private addresses.
resource "google_dns_managed_zone" "run" {
  name       = "run-app"
  dns_name   = "run.app."
  visibility = "private"

  private_visibility_config {
    networks {
      network_url = google_compute_network.this.id
    }
  }
}

resource "google_dns_record_set" "run" {
  managed_zone = google_dns_managed_zone.run.name
  name         = "*.run.app."
  type         = "A"
  ttl          = 300
  rrdatas      = local.google_front_end
}

resource "google_dns_managed_zone" "storage" {
  name       = "storage-googleapis-com"
  dns_name   = "storage.googleapis.com."
  visibility = "private"

  private_visibility_config {
    networks {
      network_url = google_compute_network.this.id
    }
  }
}

resource "google_dns_record_set" "storage" {
  managed_zone = google_dns_managed_zone.storage.name
  name         = "storage.googleapis.com."
  type         = "A"
  ttl          = 300
  rrdatas      = local.google_front_end
}
