//! What a repository is asked, answered by libgit2.

use super::*;

const FSCK: &str = "check whether the repository is damaged: git fsck";

pub(super) fn not_a_file(oid: Oid) -> Unavailable {
    Unavailable::new(format!("the object {oid} is not a file's contents"), FSCK)
}

impl Repository for Git2Repository {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn config(&self, key: &str) -> Read<Vec<String>> {
        let read = || -> Result<Vec<(String, String)>, git2::Error> {
            let mut all = Vec::new();
            self.git.config()?.entries(None)?.for_each(|entry| {
                // A key alone is git's short form of `true`.
                let value = if entry.has_value() { entry.value_bytes() } else { b"true" };
                let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
                all.push((text(entry.name_bytes()), text(value)));
            })?;
            Ok(all)
        };
        let all = match self.config.get() {
            Some(all) => all,
            None => {
                let all =
                    read().map_err(|error| git2_error(&format!("the configuration `{key}`"), &error))?;
                self.config.get_or_init(|| all)
            }
        };
        let key = canonical_key(key);
        Ok(all.iter().filter(|(name, _)| *name == key).map(|(_, value)| value.clone()).collect())
    }

    fn has_config(&self, pattern: &str) -> Read<bool> {
        let read = || self.git.config()?.entries(Some(pattern))?.next().transpose().map(|e| e.is_some());
        read().map_err(|error| git2_error("the configuration", &error))
    }

    fn head(&self) -> Read<Head> {
        let head = self.git.find_reference("HEAD").map_err(|error| git2_error("HEAD", &error))?;
        let branch = head.symbolic_target().ok().flatten().map(str::to_owned);
        let oid = match &branch {
            Some(name) => self.find_ref(name)?,
            None => head.target().map(from_git).transpose()?,
        };
        Ok(Head { branch, oid })
    }

    fn find_ref(&self, name: &str) -> Read<Option<Oid>> {
        let found = match self.git.find_reference(name) {
            Ok(reference) => reference,
            Err(error) if matches!(error.code(), ErrorCode::NotFound | ErrorCode::InvalidSpec) => {
                return Ok(None);
            }
            Err(error) => return Err(git2_error(&format!("the ref `{name}`"), &error)),
        };
        // libgit2 resolves what is direct already by reading it once more.
        let nothing = || git2::Error::from_str("it names no object");
        let direct = match found.target() {
            Some(oid) => Ok(oid),
            None => found.resolve().and_then(|direct| direct.target().ok_or_else(nothing)),
        };
        match direct.and_then(|oid| self.commit_at(oid)) {
            Ok(commit) => commit.map(from_git).transpose(),
            Err(error)
                if error.code() == ErrorCode::NotFound
                    && found.symbolic_target().ok().flatten().is_some() =>
            {
                Ok(None)
            }
            Err(error) => Err(git2_error(&format!("the ref `{name}`"), &error)),
        }
    }

    fn symbolic_ref(&self, name: &str) -> Read<Option<String>> {
        match self.git.find_reference(name) {
            Ok(reference) => Ok(reference.symbolic_target().ok().flatten().map(str::to_owned)),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(git2_error(&format!("the ref `{name}`"), &error)),
        }
    }

    fn ref_target(&self, name: &str) -> Read<Option<RefTarget>> {
        match self.git.find_reference(name) {
            Ok(reference) => match reference.target() {
                Some(oid) => Ok(Some(RefTarget::Object(from_git(oid)?))),
                None => Ok(Some(RefTarget::Symbolic)),
            },
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(git2_error(&format!("the ref `{name}`"), &error)),
        }
    }

    fn ref_names(&self, prefix: &str) -> Read<Vec<String>> {
        let text = |name: Vec<u8>| {
            String::from_utf8(name).map_err(|_| unreadable_refs(prefix, "a name there is not UTF-8"))
        };
        self.refs_below(prefix)?.into_keys().map(text).collect()
    }

    fn peel(&self, oid: Oid) -> Read<Option<Oid>> {
        let commit = self
            .commit_at(Self::to_git(oid)?)
            .map_err(|error| git2_error(&format!("the object {oid}"), &error))?;
        commit.map(from_git).transpose()
    }

    fn resolve(&self, expression: &str) -> Read<Oid> {
        let found = self.git.revparse_single(expression);
        match found.and_then(|object| object.peel(ObjectType::Commit)) {
            Ok(commit) => from_git(commit.id()),
            Err(error) => Err(Unavailable::new(
                format!("`{expression}` is not a commit here: {}", error.message()),
                format!(
                    "check it with `git rev-parse --verify '{expression}^{{commit}}'`; it may have to be fetched first"
                ),
            )),
        }
    }

    fn commit(&self, oid: Oid) -> Read<RawCommit> {
        if let Some(known) = self.commits.borrow().get(&oid) {
            return Ok(known.clone());
        }
        let bytes = self.commit_bytes(oid)?;
        // libgit2 takes some that git would not write.
        let mut commit = raw_commit::parse(&bytes).map_or_else(|| self.lenient_commit(oid), Ok)?;
        if self.is_shallow() {
            commit.parents.retain(|parent| self.has(*parent));
        }
        let mut commits = self.commits.borrow_mut();
        if commits.len() < REMEMBERED && commit.message.len() < SHORT {
            commits.insert(oid, commit.clone());
        }
        Ok(commit)
    }

    fn commit_bytes(&self, oid: Oid) -> Read<Vec<u8>> {
        self.bytes_of(oid, ObjectType::Commit, "commit")
    }

    fn merge_base(&self, base: Oid, tips: &[Oid]) -> Read<Option<Oid>> {
        if let Some(told) = self.walked(|history, read| history.merge_base(base, tips, read)) {
            return Ok(told);
        }
        let mut all = vec![Self::to_git(base)?];
        for tip in tips {
            all.push(Self::to_git(*tip)?);
        }
        match self.git.merge_base_many(&all) {
            Ok(oid) => from_git(oid).map(Some),
            Err(error) if error.code() == ErrorCode::NotFound => {
                // The same code is given for a missing commit.
                for oid in std::iter::once(base).chain(tips.iter().copied()) {
                    self.commit(oid)?;
                }
                Ok(None)
            }
            Err(error) => Err(git2_error("the merge base", &error)),
        }
    }

    fn merge_bases(&self, one: Oid, two: Oid) -> Read<Vec<Oid>> {
        if let Some(told) = self.walked(|history, read| history.merge_base(one, &[two], read)) {
            return Ok(told.into_iter().collect());
        }
        match self.git.merge_bases(Self::to_git(one)?, Self::to_git(two)?) {
            Ok(oids) => oids.iter().copied().map(from_git).collect(),
            Err(error) if error.code() == ErrorCode::NotFound => {
                // The same code is given for a missing commit.
                self.commit(one).and_then(|_| self.commit(two)).map(|_| Vec::new())
            }
            Err(error) => Err(git2_error("the merge bases", &error)),
        }
    }

    fn merged(&self, ours: Oid, theirs: Oid) -> Read<(Oid, Vec<RepoPath>)> {
        let merge = || -> Result<(git2::Oid, Vec<RepoPath>), git2::Error> {
            self.keep_writes_in_memory()?;
            let commit = |oid: Oid| self.git.find_commit(git2::Oid::from_bytes(oid.as_bytes())?);
            let mut index = self.git.merge_commits(&commit(ours)?, &commit(theirs)?, None)?;
            let mut open = Vec::new();
            for conflict in index.conflicts()? {
                let conflict = conflict?;
                let sides = [conflict.ancestor, conflict.our, conflict.their];
                open.extend(sides.into_iter().flatten().map(|entry| RepoPath(entry.path)));
            }
            open.sort();
            open.dedup();
            for path in &open {
                index.conflict_remove(&path_of(&path.0))?;
            }
            Ok((index.write_tree_to(&self.git)?, open))
        };
        let (tree, open) = merge().map_err(|error| git2_error("the result of a merge", &error))?;
        Ok((from_git(tree)?, open))
    }

    fn commits(&self, include: &[Oid], exclude: &[Oid]) -> Read<Vec<Oid>> {
        if let Some(reached) = self.walked(|history, read| history.reached(include, exclude, read)) {
            return Ok(reached);
        }
        let walk = || -> Result<Vec<git2::Oid>, git2::Error> {
            let mut walk = self.git.revwalk()?;
            walk.set_sorting(git2::Sort::TOPOLOGICAL | git2::Sort::REVERSE)?;
            for oid in include {
                walk.push(git2::Oid::from_bytes(oid.as_bytes())?)?;
            }
            for oid in exclude {
                walk.hide(git2::Oid::from_bytes(oid.as_bytes())?)?;
            }
            walk.collect()
        };
        let oids = walk().map_err(|error| git2_error("the history of the change", &error))?;
        oids.into_iter().map(from_git).collect()
    }

    fn tips(&self, prefix: &str) -> Read<Vec<Oid>> {
        // git lets these name commits alone.
        let are_commits =
            ["refs/heads/", "refs/remotes/"].iter().any(|of_commits| prefix.starts_with(of_commits));
        let mut named = BTreeSet::new();
        for (name, target) in self.refs_below(prefix)? {
            let by_name = || self.find_ref(&String::from_utf8(name).ok()?).ok()?;
            named.extend(target.or_else(by_name));
        }
        // What a ref lacks is git's to complain of.
        let commit = |oid| match are_commits {
            true => Some(oid).filter(|oid| self.has(*oid)),
            false => self.peel(oid).ok().flatten(),
        };
        let tips: BTreeSet<Oid> = named.into_iter().filter_map(commit).collect();
        Ok(tips.into_iter().collect())
    }

    fn budget(&self) -> &Budget {
        &self.budget
    }

    fn header(&self, oid: Oid) -> Read<(Kind, usize)> {
        let read = || self.git.odb()?.read_header(git2::Oid::from_bytes(oid.as_bytes())?);
        let (size, kind) = read().map_err(|error| git2_error(&format!("the object {oid}"), &error))?;
        let kind = match kind {
            ObjectType::Tree => Kind::Tree,
            ObjectType::Blob => Kind::Blob,
            ObjectType::Tag => Kind::Tag,
            ObjectType::Commit | ObjectType::Any => Kind::Commit,
        };
        Ok((kind, size))
    }

    fn tag_bytes(&self, oid: Oid) -> Read<Vec<u8>> {
        self.bytes_of(oid, ObjectType::Tag, "tag")
    }

    fn tag_target(&self, oid: Oid) -> Read<Oid> {
        let tag = self.git.find_tag(Self::to_git(oid)?);
        from_git(tag.map_err(|error| git2_error(&format!("the tag {oid}"), &error))?.target_id())
    }

    fn raw_tree(&self, oid: Oid) -> Read<RawTree> {
        let read = || -> Result<Option<Read<RawTree>>, git2::Error> {
            let objects = self.git.odb()?;
            let object = objects.read(git2::Oid::from_bytes(oid.as_bytes())?)?;
            Ok((object.kind() == ObjectType::Tree).then(|| RawTree::new(oid, object.data())))
        };
        read()
            .map_err(|error| git2_error(&format!("the tree {oid}"), &error))?
            .unwrap_or_else(|| Err(Unavailable::new(format!("the object {oid} is not a tree"), FSCK)))
    }

    fn blob(&self, oid: Oid) -> Read<Vec<u8>> {
        let read = || -> Result<Option<Vec<u8>>, git2::Error> {
            let objects = self.git.odb()?;
            let object = objects.read(git2::Oid::from_bytes(oid.as_bytes())?)?;
            Ok((object.kind() == ObjectType::Blob).then(|| object.data().to_vec()))
        };
        let content = read().map_err(|error| git2_error(&format!("the file contents {oid}"), &error))?;
        content.ok_or_else(|| not_a_file(oid))
    }

    fn recent_blob(&self, oid: Oid, most: usize, is_text: bool) -> Read<Option<Vec<u8>>> {
        self.loose_blob(oid, most, is_text)
    }

    fn small_tree(&self, oid: Oid, most: usize) -> Read<Option<RawTree>> {
        self.loose_tree(oid, most)
    }

    fn has(&self, oid: Oid) -> bool {
        let found = || -> Result<bool, git2::Error> {
            Ok(self.git.odb()?.exists(git2::Oid::from_bytes(oid.as_bytes())?))
        };
        found().unwrap_or(false)
    }

    fn index_tree(&self, index: &Path) -> Read<Oid> {
        let build = || -> Result<git2::Oid, git2::Error> {
            let mut index = git2::Index::open(index)?;
            let intended: Vec<Vec<u8>> = index
                .iter()
                .filter(|entry| {
                    let extended = git2::IndexEntryExtendedFlag::from_bits_truncate(entry.flags_extended);
                    extended.contains(git2::IndexEntryExtendedFlag::INTENT_TO_ADD)
                })
                .map(|entry| entry.path)
                .collect();
            for path in intended {
                index.remove(&path_of(&path), 0)?;
            }
            self.keep_writes_in_memory()?;
            index.write_tree_to(&self.git)
        };
        match build() {
            Ok(oid) => from_git(oid),
            Err(error) if error.code() == ErrorCode::Unmerged => Err(Unavailable::new(
                "the index has unmerged paths",
                "resolve the conflicts and `git add` the files (see `git status`)",
            )),
            Err(error) => {
                let help = match error.message() {
                    text if text.contains("'link'") || text.contains("'sdir'") || text.contains("sparse") => {
                        "libgit2 does not read a split or sparse index; let git read it: unset LANE_GIT_BACKEND"
                    }
                    _ => {
                        "if it is damaged, move the file away and run `git reset` (the working tree is kept)"
                    }
                };
                let place = index.display();
                Err(Unavailable::new(format!("the index {place} cannot be read: {}", error.message()), help))
            }
        }
    }

    fn worktree_tree(&self) -> Read<Oid> {
        let build = || -> Result<git2::Oid, git2::Error> {
            self.keep_writes_in_memory()?;
            let mut index = self.git.index()?;
            // libgit2 would take what a sparse checkout leaves out for deleted.
            let is_left_out = |entry: git2::IndexEntry| {
                let extended = git2::IndexEntryExtendedFlag::from_bits_truncate(entry.flags_extended);
                extended.contains(git2::IndexEntryExtendedFlag::SKIP_WORKTREE)
            };
            if index.iter().any(is_left_out) {
                return Err(git2::Error::from_str(
                    "it is a sparse checkout, which only git reads (LANE_GIT_BACKEND)",
                ));
            }
            index.add_all(["*"], git2::IndexAddOption::DEFAULT, None)?;
            index.update_all(["*"], None)?;
            index.write_tree()
        };
        build().map_err(|error| git2_error("the working tree", &error)).and_then(from_git)
    }

    fn blob_start(&self, oid: Oid) -> Read<Vec<u8>> {
        self.loose_start(oid)
    }

    fn line_diff(&self, old: &[u8], new: &[u8]) -> Read<(u64, u64)> {
        line_diff(old, new)
    }

    fn blob_id(&self, bytes: &[u8]) -> Read<Oid> {
        blob_id(bytes)
    }

    fn is_shallow(&self) -> bool {
        *self.is_shallow.get_or_init(|| self.git.is_shallow())
    }
}
