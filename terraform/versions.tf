terraform {
  required_version = ">= 1.9"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 8.7"
    }
  }

  # The bucket comes with `terraform init -backend-config="bucket=…"`: see docs/deploy.md.
  backend "gcs" {
    prefix = "agent-builder"
  }
}

provider "google" {
  project = var.project
  region  = var.region

  # Budgets and alerts ask which project pays for the question when a person applies this.
  user_project_override = true
  billing_project       = var.project
}
