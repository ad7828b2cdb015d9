//! The list of components that a program is made of, as CycloneDX 1.6 (ECMA-424), from `cargo metadata` and `Cargo.lock`.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::{Value, json};

use crate::archive::civil;
use crate::project::Project;
use crate::targets::Target;

/// What cargo says of the packages for a target.
#[derive(Debug)]
pub struct Packages {
    packages: BTreeMap<String, Value>,
    arrows: BTreeMap<String, Vec<(String, bool)>>,
    root: String,
}

impl Packages {
    /// Asks cargo, which uses `Cargo.lock` as it is.
    ///
    /// # Errors
    /// cargo fails, or what it says is not of its form.
    pub fn read(project: &Project, target: &Target) -> Result<Self, String> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let ran = Command::new(cargo)
            .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", target.triple])
            .current_dir(&project.root)
            .output()
            .map_err(|error| format!("cargo cannot be started: {error}"))?;
        if !ran.status.success() {
            return Err(format!("cargo metadata failed: {}", String::from_utf8_lossy(&ran.stderr).trim()));
        }
        let said: Value =
            serde_json::from_slice(&ran.stdout).map_err(|error| format!("cargo metadata: {error}"))?;
        Self::of(&said).ok_or_else(|| "cargo metadata has another form than expected".to_owned())
    }

    fn of(said: &Value) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let packages: Option<BTreeMap<_, _>> = said["packages"]
            .as_array()?
            .iter()
            .map(|package| Some((text(&package["id"])?, package.clone())))
            .collect();
        let mut arrows = BTreeMap::new();
        for node in said["resolve"]["nodes"].as_array()? {
            let below = node["deps"].as_array()?.iter().filter_map(|dep| {
                let kinds = dep["dep_kinds"].as_array()?;
                let has = |kind: Value| kinds.iter().any(|found| found["kind"] == kind);
                let is_linked = has(Value::Null);
                (is_linked || has("build".into())).then_some((text(&dep["pkg"])?, is_linked))
            });
            arrows.insert(text(&node["id"])?, below.collect());
        }
        let root = text(&said["resolve"]["root"])?;
        Some(Self { packages: packages?, arrows, root })
    }

    /// What is reached from the program. `is_linked`: by what goes into it alone, and by nothing that only builds it.
    fn reached(&self, is_linked: bool) -> BTreeSet<&str> {
        let (mut found, mut open) = (BTreeSet::new(), vec![self.root.as_str()]);
        while let Some(id) = open.pop() {
            if found.insert(id) {
                let below = self.arrows.get(id).into_iter().flatten();
                open.extend(below.filter(|(_, links)| *links || !is_linked).map(|(id, _)| id.as_str()));
            }
        }
        found
    }

    /// The packages that go into the programs, but those of this repository.
    pub fn linked(&self) -> impl Iterator<Item = &Value> {
        let linked = self.reached(true).into_iter().filter_map(|id| self.packages.get(id));
        linked.filter(|package| !package["source"].is_null())
    }
}

/// Writes the list. What only builds the programs is there as `excluded`.
///
/// # Errors
/// `Cargo.lock` cannot be read.
pub fn write(project: &Project, target: &Target, packages: &Packages) -> Result<Vec<u8>, String> {
    let sums = checksums(project)?;
    let (linked, all) = (packages.reached(true), packages.reached(false));
    let mut components = Vec::new();
    for id in all.iter().filter(|id| **id != packages.root) {
        let package = packages.packages.get(*id).ok_or_else(|| format!("cargo metadata lacks {id}"))?;
        let mut one = component("library", package);
        one["scope"] = if linked.contains(id) { "required" } else { "excluded" }.into();
        if let Some(sum) = sums.get(&purl(package)) {
            one["hashes"] = json!([{ "alg": "SHA-256", "content": sum }]);
        }
        components.push(one);
    }
    let mut program = component("application", packages.packages.get(&packages.root).unwrap_or(&Value::Null));
    program["externalReferences"] =
        json!([{ "type": "distribution", "url": project.download(&target.archive()) }]);
    let name = |id: &str| packages.packages.get(id).map(purl);
    let arrows = all.iter().map(|id| {
        let below = packages.arrows.get(*id).into_iter().flatten().filter_map(|(id, _)| name(id));
        json!({ "ref": name(id), "dependsOn": below.collect::<BTreeSet<_>>() })
    });
    let bom = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": { "timestamp": format!("{}Z", civil(project.time)?), "component": program },
        "components": components,
        "dependencies": arrows.collect::<Vec<_>>(),
    });
    let text = serde_json::to_string_pretty(&bom).map_err(|error| error.to_string())?;
    Ok(format!("{text}\n").into_bytes())
}

/// A package as a package URL; also its name within the list.
fn purl(package: &Value) -> String {
    let text = |key: &str| package[key].as_str().unwrap_or_default();
    format!("pkg:cargo/{}@{}", text("name"), text("version").replace('+', "%2B"))
}

fn component(kind: &str, package: &Value) -> Value {
    let mut one = json!({
        "type": kind,
        "bom-ref": purl(package),
        "name": package["name"],
        "version": package["version"],
        "purl": purl(package),
    });
    if let Some(licence) = package["license"].as_str() {
        // The old form of cargo, before SPDX.
        one["licenses"] = json!([{ "expression": licence.replace('/', " OR ") }]);
    } else if let Some(file) = package["license_file"].as_str() {
        one["licenses"] = json!([{ "license": { "name": file } }]);
    }
    if let Some(text) = package["description"].as_str() {
        one["description"] = text.split_whitespace().collect::<Vec<_>>().join(" ").into();
    }
    if let Some(url) = package["repository"].as_str() {
        one["externalReferences"] = json!([{ "type": "vcs", "url": url }]);
    }
    one
}

/// The SHA-256 of each package of the registry, by its package URL.
fn checksums(project: &Project) -> Result<BTreeMap<String, String>, String> {
    let lock: toml::Table = crate::read_text(&project.root.join("Cargo.lock"))?
        .parse()
        .map_err(|error| format!("Cargo.lock: {error}"))?;
    let packages = lock.get("package").and_then(toml::Value::as_array).into_iter().flatten();
    let text =
        |package: &toml::Value, key: &str| package.get(key).and_then(toml::Value::as_str).map(str::to_owned);
    let found = packages.filter_map(|package| {
        let named = json!({ "name": text(package, "name")?, "version": text(package, "version")? });
        Some((purl(&named), text(package, "checksum")?))
    });
    Ok(found.collect())
}
